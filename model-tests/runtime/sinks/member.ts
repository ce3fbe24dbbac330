/**
 * One life of a member in a process of its own, which kills itself at the point that it was given.
 *
 *     node member.ts '{"path":…,"name":…,"generation":…,"inputs":…,"seed":…,"point":…}'
 *
 * Exit: 0 when all inputs are delivered; killed by SIGKILL otherwise.
 */
import { Effect, Layer } from "effect"
import * as Campaign from "./campaign.ts"
import * as Sqlite from "./sqlite.ts"

/** What a life is given. */
export interface Life {
  readonly path: string
  readonly name: Campaign.SinkName
  readonly generation: number
  /** How many there are. */
  readonly inputs: number
  readonly seed: number
  readonly point?: Campaign.Point
}

if (import.meta.main) {
  const { generation, inputs, name, path, point, seed } = JSON.parse(process.argv[2]!) as Life
  const storage = Campaign.sinks[name]({ group: "group" }).pipe(
    Layer.provide(Sqlite.client(path, point, () => void process.kill(process.pid, "SIGKILL")))
  )
  const ending = await Effect.runPromise(
    Campaign.live({
      generation,
      inputs: Campaign.inputsOf(inputs),
      draw: Campaign.numbers(seed),
      polled: () => Effect.void
    }).pipe(Effect.provide(storage))
  )
  process.exitCode = ending === "finished" ? 0 : 1
}
