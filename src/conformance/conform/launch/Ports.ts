/**
 * Ports on which nobody listens.
 *
 * They are below those that systems give to connections that go out (from 32,768 on Linux, from 49,152 elsewhere). One of
 * those might be given away while its broker is down; and who knocks at it until the broker is up may even be connected
 * to himself, which keeps the broker from listening at all.
 */
import { Effect } from "effect"
import { randomInt } from "node:crypto"
import { createServer } from "node:net"
import { LaunchFailed } from "./LaunchFailed.ts"

const first = 20_000
const behind = 32_000
const attempts = 100

const isFree = (port: number): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    const server = createServer()
    server.on("error", () => resume(Effect.succeed(false)))
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => {
      server.close(() => resume(Effect.succeed(true)))
    })
  })

/** The first of two ports that follow each other and are free, as far as anybody can know. */
export const pair: Effect.Effect<number, LaunchFailed> = Effect.gen(function*() {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const port = randomInt(first, behind)
    if ((yield* isFree(port)) && (yield* isFree(port + 1))) return port
  }
  return yield* new LaunchFailed({
    reason: "Machine",
    message: `no free ports between ${first} and ${behind} after ${attempts} attempts`,
    output: ""
  })
})
