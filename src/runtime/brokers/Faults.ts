/**
 * What can go wrong between clients and brokers: requests and answers that are lost, copies that arrive late, and a client
 * that dies.
 *
 * All chance comes from Effect's `Random`, so that a seed decides what happens.
 */
import { Data, Effect, Random, type Scope } from "effect"
import type { ApiKey } from "../client/Requests.ts"
import { type Connections, Disconnected } from "../client/Requests.ts"

/** Probabilities from 0 to 1, for each request. */
export interface Faults {
  /** The request never arrives. */
  readonly lostRequest: number
  /** The request is carried out, and its sender hears nothing of it. */
  readonly lostAnswer: number
  /** As a lost request for its sender, but it arrives after `lateMs`. TCP does not repeat; the connection was another one. */
  readonly lateCopy: number
  readonly lateMs: number
}

/** Waits of consumers do no harm when they are lost, and would make every run slow. */
const isSpared = (api: ApiKey): boolean => api === "Fetch"

/** The same brokers behind a network with these faults. Late copies arrive while the scope lasts. */
export const lossy = Effect.fnUntraced(function*(
  { bootstrap, send }: Connections["Service"],
  { lateCopy, lateMs, lostAnswer, lostRequest }: Faults
): Effect.fn.Return<Connections["Service"], never, Scope.Scope> {
  const scope = yield* Effect.scope
  return {
    bootstrap,
    send: (node, api, request) =>
      Effect.gen(function*() {
        const lost = new Disconnected({ node, api })
        const chance = isSpared(api) ? 1 : yield* Random.next
        if (chance < lostRequest) return yield* lost
        if (chance < lostRequest + lateCopy) {
          const later = Effect.andThen(Effect.sleep(lateMs), Effect.ignore(send(node, api, request)))
          yield* Effect.forkIn(later, scope)
          return yield* lost
        }
        const answer = yield* send(node, api, request)
        return chance < lostRequest + lateCopy + lostAnswer ? yield* lost : answer
      })
  }
})

/** The connections of one process, which end with it. */
export interface Process {
  readonly connections: Connections["Service"]
  /**
   * The process is killed: whatever it has in the air hears no answer, and nothing of it reaches a broker any more, also not
   * what it would do to clean up. All of that ends with the defect `Killed`.
   */
  readonly kill: Effect.Effect<void>
}

/** This process is dead. */
export class Killed extends Data.TaggedError("Killed") {}

/** A process with its own connections to the brokers. */
export const process = ({ bootstrap, send }: Connections["Service"]): Process => {
  let isKilled = false
  const unlessKilled = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.suspend(() => isKilled ? Effect.die(new Killed()) : effect)
  return {
    connections: {
      bootstrap,
      send: (node, api, request) =>
        unlessKilled(Effect.flatMap(send(node, api, request), (answer) => unlessKilled(Effect.succeed(answer))))
    },
    kill: Effect.sync(() => {
      isKilled = true
    })
  }
}
