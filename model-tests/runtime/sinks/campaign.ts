/**
 * Crash campaigns: a group consumes a partition into a sink, its member dies at a drawn point, and the next generation
 * goes on, until so many have died. Some of the dead were only asleep: they deliver what they had in hand once more, later.
 *
 * What was lost and what was written twice is counted at the end, by the rows alone.
 */
import { Cause, Effect, Exit, type Layer, Schedule } from "effect"
import * as Sinks from "../../../src/runtime/sinks/index.ts"

type SinkRecord = Sinks.Sink.SinkRecord

export const topic = "inputs"

/** The partition that is consumed; every second offset is a marker's. */
export const inputsOf = (count: number): ReadonlyArray<SinkRecord> =>
  Array.from(
    { length: count },
    (_, i) => ({ topic, partition: 0, offset: 2 * i, key: `key ${i % 3}`, value: `output ${i}` })
  )

/** Where a member dies: around so many statements after it has begun. */
export interface Point {
  readonly statement: number
  readonly side: "before" | "after"
}

/** Whole numbers below a limit, from a seed. */
export const numbers = (seed: number): (limit: number) => number => {
  let state = seed >>> 0
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor(state / 2 ** 32 * limit)
  }
}

/** All inputs were polled. */
class Finished extends Error {
  readonly _tag = "Finished"
}

export type Ending = "finished" | "crashed" | "fenced"

/** One life of a member: it goes on where the sink says, in batches of drawn sizes. */
export const live = Effect.fnUntraced(function*({ draw, generation, inputs, polled, schedule = Schedule.recurs(0) }: {
  readonly generation: number
  /** When it tries again what failed; never, unless it is given. */
  readonly schedule?: Schedule.Schedule<unknown>
  readonly inputs: ReadonlyArray<SinkRecord>
  readonly draw: (limit: number) => number
  /** Told of a batch before it is delivered. */
  readonly polled: (batch: ReadonlyArray<SinkRecord>) => Effect.Effect<void>
}): Effect.fn.Return<Ending, never, Sinks.Sink.Sink> {
  let next = 0
  const run = Sinks.SinkMember.run({
    generation,
    partitions: [{ topic, partition: 0 }],
    schedule,
    seek: ([position]) =>
      Effect.sync(() => {
        const place = position === undefined ? 0 : inputs.findIndex(({ offset }) => offset >= position.offset)
        next = place < 0 ? inputs.length : place
      }),
    poll: Effect.gen(function*() {
      if (next === inputs.length) return yield* Effect.fail(new Finished())
      const batch = inputs.slice(next, next + 1 + draw(3))
      next += batch.length
      yield* polled(batch)
      return batch
    })
  })
  return yield* run.pipe(
    Effect.catchTags({
      Finished: () => Effect.succeed<Ending>("finished"),
      SinkFenced: () => Effect.succeed<Ending>("fenced"),
      SinkFailure: () => Effect.succeed<Ending>("crashed")
    })
  )
})

/** How a run of a campaign reaches its storage, which is empty at first. */
export interface Storage {
  /** A connection of its own, which dies at the point; none for one that lives. */
  readonly connect: (point: Point | undefined) => Layer.Layer<Sinks.Sink.Sink, Sinks.Sink.SinkFailure>
  /** The offsets of the outputs that are there. */
  readonly outputs: Effect.Effect<ReadonlyArray<number>>
}

export interface Found {
  readonly crashes: number
  readonly lost: number
  readonly duplicated: number
  /** Deliveries of members that woke up behind their successor, and how many of these were refused. */
  readonly zombies: number
  readonly refused: number
}

/** What is missing among the rows, and how many there are too many. */
export const countOf = (inputs: ReadonlyArray<SinkRecord>, rows: ReadonlyArray<number>) => {
  const distinct = new Set(rows)
  return { lost: inputs.filter(({ offset }) => !distinct.has(offset)).length, duplicated: rows.length - distinct.size }
}

/** Runs until so many members have died. */
export const run = Effect.fnUntraced(function*({ crashes, inputs, make, seed, statements }: {
  readonly crashes: number
  readonly seed: number
  readonly inputs: ReadonlyArray<SinkRecord>
  /** A member dies within so many statements. */
  readonly statements: number
  /** The storage of a run. */
  readonly make: (run: number) => Effect.Effect<Storage>
}): Effect.fn.Return<Found> {
  const draw = numbers(seed)
  const found = { crashes: 0, lost: 0, duplicated: 0, zombies: 0, refused: 0 }
  for (let count = 0; found.crashes < crashes; count++) {
    const storage = yield* make(count)
    let ending: Ending = "crashed"
    let asleep: { readonly batch: ReadonlyArray<SinkRecord>; readonly generation: number } | undefined
    for (let generation = 1; ending !== "finished"; generation++) {
      const zombie = draw(2) === 0 ? asleep : undefined
      let awaken = draw(3)
      asleep = undefined
      const polled = Effect.fnUntraced(function*(batch: ReadonlyArray<SinkRecord>) {
        asleep = { batch, generation }
        if (zombie === undefined || awaken-- !== 0) return
        const exit = yield* Sinks.Sink.Sink.use((sink) => sink.deliver(zombie.batch, zombie.generation)).pipe(
          Effect.provide(storage.connect(undefined)),
          Effect.exit
        )
        found.zombies++
        if (Exit.isFailure(exit)) {
          if (!exit.cause.reasons.some((reason) => Cause.isFailReason(reason) && reason.error._tag === "SinkFenced")) {
            return yield* Effect.die(exit)
          }
          found.refused++
        }
      })
      // The last crash was had: the run comes to its end.
      const point: Point | undefined = found.crashes < crashes
        ? { statement: 1 + draw(statements), side: draw(2) === 0 ? "before" : "after" }
        : undefined
      ending = yield* live({ generation, inputs, draw, polled }).pipe(
        Effect.provide(storage.connect(point)),
        Effect.catchTag("SinkFailure", () => Effect.succeed<Ending>("crashed"))
      )
      if (ending === "crashed") found.crashes++
    }
    const { duplicated, lost } = countOf(inputs, yield* storage.outputs)
    found.lost += lost
    found.duplicated += duplicated
  }
  return found
})

/** The sinks there are, by name. */
export const sinks = {
  transactional: Sinks.TransactionalSink.layer,
  upsert: Sinks.UpsertSink.layer,
  outputFirst: Sinks.NaiveSink.layerOutputFirst,
  offsetFirst: Sinks.NaiveSink.layerOffsetFirst,
  unfenced: Sinks.NaiveSink.layerUnfenced
} as const

export type SinkName = keyof typeof sinks

/** What each sink must show; the naive ones, that the campaign finds what there is to find. */
export const expectations: Readonly<Record<SinkName, readonly [lost: "none" | "some", duplicated: "none" | "some"]>> = {
  transactional: ["none", "none"],
  upsert: ["none", "none"],
  outputFirst: ["none", "some"],
  offsetFirst: ["some", "none"],
  unfenced: ["none", "some"]
}

/** In words, for messages and names. */
export const describe = ({ crashes, duplicated, lost, refused, zombies }: Found): string =>
  `${crashes} crashes, ${lost} lost, ${duplicated} duplicated, ${refused} of ${zombies} zombies refused`
