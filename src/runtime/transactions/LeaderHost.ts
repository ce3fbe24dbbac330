/**
 * The leader of one partition on its broker: the core's partition in a mailbox. The leader of the group's offsets is the
 * group coordinator.
 *
 * When the leadership moves, the leader before dies with its memory, and the next has the replicated log and nothing else.
 */
import { Effect, type Scope } from "effect"
import { type Errors, TransactionalPartition } from "../../core/index.ts"
import * as Mailbox from "../Mailbox.ts"
import type { Group } from "./Group.ts"
import { Network } from "./Network.ts"
import * as Seat from "./Seat.ts"
import type { Setup } from "./Setup.ts"

/** What waits for an answer of the leader; a stranger is somebody outside of the cluster. */
type Served =
  | { readonly _tag: "Produce" | "Marker"; readonly correlation: number }
  | { readonly _tag: "Stranger"; readonly told: (error: Errors.Error) => void }

/** What a stranger can ask a leader. */
export type Question = Extract<
  TransactionalPartition.Input,
  { readonly _tag: "AppendVerified" | "HandleMarker" }
>

/** What a leader can be told. */
type Message =
  | { readonly _tag: "HandleProduce" | "AppendVerified" | "HandleMarker"; readonly correlation: number }
  | { readonly _tag: "Replicate" | "LeaderChange" }
  | { readonly _tag: "CommitOffset"; readonly position: number }
  | { readonly _tag: "Probe"; readonly question: Question; readonly told: (error: Errors.Error) => void }

interface Output {
  readonly output: TransactionalPartition.Output
  readonly served: Served | undefined
}

export interface LeaderHost {
  /** The group goes on from this position, by no transaction; whether that is news. */
  readonly commitOffset: (position: number) => Effect.Effect<boolean>
  /** The follower fetches one entry; whether it lacked one. */
  readonly replicate: Effect.Effect<boolean>
  /** The leader dies and the follower leads. */
  readonly change: Effect.Effect<boolean>
  /** The answer to a stranger, `undefined` when there is none at once. */
  readonly probe: (question: Question) => Effect.Effect<Errors.Error | undefined>
  readonly state: () => TransactionalPartition.Partition
}

export interface Options {
  readonly setup: Setup
  readonly partition: string
  readonly group: Group
}

/** Starts the leader of an empty partition; it ends with the scope. */
export const make = Effect.fnUntraced(function*(
  { group, partition: name, setup }: Options
): Effect.fn.Return<LeaderHost, never, Network | Scope.Scope> {
  const { context, replicationLag } = setup
  const network = yield* Network
  const { markers, produces } = network

  /** The core's input for a message, `undefined` when what the message speaks of is gone. */
  const inputOf = (message: Message): TransactionalPartition.Input | undefined => {
    switch (message._tag) {
      case "HandleProduce":
      case "AppendVerified": {
        const sent = produces.get(message.correlation)
        if (sent === undefined) return undefined
        const { broker, guard, produce } = sent
        const arrival = { produce, broker, generation: group.generation() }
        return message._tag === "HandleProduce"
          ? { _tag: "HandleProduce", ...arrival }
          : { _tag: "AppendVerified", ...arrival, guard }
      }
      case "HandleMarker": {
        const sent = markers.get(message.correlation)
        return sent && { _tag: "HandleMarker", marker: sent.marker, broker: sent.broker }
      }
      case "Probe":
        return message.question
      default:
        return message
    }
  }

  const servedBy = (message: Message): Served | undefined => {
    switch (message._tag) {
      case "HandleProduce":
      case "AppendVerified":
        return { _tag: "Produce", correlation: message.correlation }
      case "HandleMarker":
        return { _tag: "Marker", correlation: message.correlation }
      case "Probe":
        return { _tag: "Stranger", told: message.told }
      default:
        return undefined
    }
  }

  const step = (
    partition: TransactionalPartition.Partition,
    message: Message
  ): Mailbox.Step<TransactionalPartition.Partition, Output> => {
    const input = inputOf(message)
    const next = input && TransactionalPartition.step(context, partition, input)
    if (next === undefined) return undefined
    const served = servedBy(message)
    return [next[0], next[1].map((output) => ({ output, served }))]
  }

  const answer = (served: Served, error: Errors.Error): Effect.Effect<void> => {
    switch (served._tag) {
      case "Produce":
        return network.answerProduce(served.correlation, error)
      case "Marker":
        return network.answerMarker(served.correlation, error)
      case "Stranger":
        return Effect.sync(() => served.told(error))
    }
  }

  /** Answers whoever waits for the follower to have an offset below this. */
  const answerBelow = Effect.fnUntraced(function*(offset: number, error: Errors.Error) {
    const waiting: Array<Served> = []
    for (const [correlation, sent] of produces.entries()) {
      if (sent.produce.partition === name && sent.stage === "appended" && sent.offset < offset) {
        waiting.push({ _tag: "Produce", correlation })
      }
    }
    for (const [correlation, sent] of markers.entries()) {
      if (sent.marker.partition === name && sent.stage === "appended" && sent.offset < offset) {
        waiting.push({ _tag: "Marker", correlation })
      }
    }
    for (const served of waiting) yield* answer(served, error)
  })

  const perform = ({ output, served }: Output): Effect.Effect<void> => {
    switch (output._tag) {
      case "Answer":
        return served === undefined ? Effect.void : answer(served, output.error)
      case "Verify":
        return Effect.sync(() => {
          if (served?._tag === "Produce") {
            produces.change(served.correlation, { stage: "verifying", guard: true })
          }
        })
      case "Wait":
        return Effect.sync(() => {
          const { offset } = output
          if (served?._tag === "Produce") {
            produces.change(served.correlation, { stage: "appended", guard: false, offset })
          } else if (served?._tag === "Marker") {
            markers.change(served.correlation, { stage: "appended", offset })
          }
        })
      case "Replicated":
        return answerBelow(output.highWatermark, "NONE")
    }
  }

  /** A guard is gone when the leader has forgotten what it was given for. */
  const dropGuards = (partition: TransactionalPartition.Partition): void => {
    const lost: Array<number> = []
    for (const [correlation, { guard, produce }] of produces.entries()) {
      if (guard && produce.partition === name && !TransactionalPartition.isGuarded(partition, produce.producerId)) {
        lost.push(correlation)
      }
    }
    for (const correlation of lost) produces.change(correlation, { guard: false })
  }

  const replicate: Message = { _tag: "Replicate" }

  const seat = yield* Seat.make(
    (initial: TransactionalPartition.Partition) =>
      Mailbox.make<TransactionalPartition.Partition, Message, Output>({
        initial,
        step,
        perform,
        after: Effect.fnUntraced(function*({ attempt, state }) {
          dropGuards(state())
          if (!replicationLag) { while (yield* attempt(replicate)); }
        })
      }),
    TransactionalPartition.initial
  )

  network.attachLeader(name, {
    broker: () => seat.state().leader,
    handle: (correlation) => seat.turn({ _tag: "HandleProduce", correlation }),
    verified: (correlation, error) =>
      Effect.suspend(() => {
        if (error === "NONE") return Effect.sync(() => produces.change(correlation, { stage: "verified" }))
        const { version } = produces.get(correlation)!.produce
        return network.answerProduce(correlation, TransactionalPartition.verificationError(name, version, error))
      }),
    append: (correlation) => seat.turn({ _tag: "AppendVerified", correlation }),
    mark: (correlation) => seat.turn({ _tag: "HandleMarker", correlation })
  })
  return {
    commitOffset: (position) => seat.turn({ _tag: "CommitOffset", position }),
    replicate: seat.turn(replicate),
    change: Effect.gen(function*() {
      const { highWatermark, leader, log } = seat.state()
      const replicated = { ...TransactionalPartition.initial, leader, log: log.slice(0, highWatermark), highWatermark }
      yield* seat.succeed(replicated)
      const isPossible = yield* seat.turn({ _tag: "LeaderChange" })
      // What waited at the leader before is sent again, to the next one.
      yield* answerBelow(Number.POSITIVE_INFINITY, "NOT_LEADER_OR_FOLLOWER")
      return isPossible
    }),
    probe: Effect.fnUntraced(function*(question) {
      let error: Errors.Error | undefined
      yield* seat.turn({ _tag: "Probe", question, told: (answer) => (error = answer) })
      return error
    }),
    state: seat.state
  }
})
