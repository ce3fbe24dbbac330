/**
 * All that a cluster at rest says of itself and shows to consumers: what the specification expects of a world, and what a
 * broker says, in the same terms.
 */
import { Effect } from "effect"
import { Sequence } from "../../../core/index.ts"
import type { Transactions } from "../../../model/index.ts"
import type { Remote } from "../../../runtime/index.ts"
import * as Account from "../Account.ts"
import type { Asking } from "../Asking.ts"
import * as Looking from "../Looking.ts"
import * as Subject from "../Subject.ts"

type Configuration = Transactions.Configuration.Configuration
type World = Transactions.World.World

export interface Partition {
  readonly name: string
  readonly uncommitted: Account.Fetched | Looking.Failure
  readonly committed: Account.Fetched | Looking.Failure
  readonly producers: ReadonlyArray<Account.ActiveProducer> | Looking.Failure
}

export interface Statement {
  readonly partitions: ReadonlyArray<Partition>
  /** By number of the transactional id; none of idempotent producers, which have none. */
  readonly ids: ReadonlyArray<Account.Described | Looking.Failure>
  /** As a consumer sees it that does not wait, and one that wants a stable offset; none without a group. */
  readonly offsets: ReadonlyArray<Account.GroupOffset | Looking.Failure>
}

const data = ({ partitions }: Configuration): ReadonlyArray<string> =>
  partitions.filter((name) => !Subject.isGroup(name))

const idsOf = ({ requests, transactionalIds }: Configuration): ReadonlyArray<number> =>
  requests?.idempotent === true ? [] : Array.from({ length: transactionalIds }, (_, i) => i + 1)

const stabilities = ({ group }: Configuration): ReadonlyArray<boolean> => group ? [false, true] : []

/** What the specification expects. */
export const expected = (configuration: Configuration, world: World): Statement => ({
  partitions: data(configuration).map((name) => ({
    name,
    uncommitted: Account.fetched(configuration, world, name, "read_uncommitted"),
    committed: Account.fetched(configuration, world, name, "read_committed"),
    producers: Account.activeProducers(configuration, world, name)
  })),
  ids: idsOf(configuration).map((id) => Account.described(world, id)),
  offsets: stabilities(configuration).map((stable) => Account.groupOffset(configuration, world, stable))
})

/** What a broker says. A producer id that nobody was told is taken for `nextProducerId`. */
export const told = Effect.fnUntraced(function*(
  asking: Asking,
  configuration: Configuration,
  nextProducerId: number
): Effect.fn.Return<Statement, Remote.Connection.ConnectionError> {
  const partitions = yield* Effect.forEach(data(configuration), (name) =>
    Effect.map(
      Effect.all([
        Looking.fetched(asking, name, "read_uncommitted"),
        Looking.fetched(asking, name, "read_committed"),
        Looking.activeProducers(asking, name)
      ]),
      ([uncommitted, committed, producers]): Partition => ({ name, uncommitted, committed, producers })
    ))
  const unknown: Account.Described = {
    error: "NONE",
    state: "",
    producerId: nextProducerId,
    epoch: Sequence.none,
    partitions: []
  }
  return {
    partitions,
    ids: yield* Effect.forEach(idsOf(configuration), (id) => Looking.described(asking, id, unknown)),
    offsets: yield* Effect.forEach(stabilities(configuration), (stable) => Looking.groupOffset(asking, stable))
  }
})

/** The statement with other coordinator epochs. */
export const withCoordinatorEpochs = (statement: Statement, rename: (epoch: number) => number): Statement => ({
  ...statement,
  partitions: statement.partitions.map((partition) =>
    "failed" in partition.producers ? partition : {
      ...partition,
      producers: partition.producers.map((known) => ({
        ...known,
        coordinatorEpoch: known.coordinatorEpoch === Sequence.none
          ? Sequence.none
          : rename(known.coordinatorEpoch)
      }))
    }
  )
})

const failureOr = <A extends object>(said: A | Looking.Failure, texts: (said: A) => ReadonlyArray<string>) =>
  "failed" in said ? [said.failed] : texts(said)

const batchText = ({ epoch, kind, offset, producerId, sequence }: Account.Batch): string =>
  `${offset} ${kind} of producer ${producerId}, epoch ${epoch}${kind === "DATA" ? `, sequence ${sequence}` : ""}`

const partitionLines = ({ committed, name, producers, uncommitted }: Partition): ReadonlyArray<string> =>
  [
    ...failureOr(uncommitted, ({ batches, highWatermark, lastStableOffset }) => [
      `ends at ${highWatermark}, stable up to ${lastStableOffset}`,
      ...batches.map((batch) => `has ${batchText(batch)}`)
    ]),
    ...failureOr(committed, ({ aborted, batches, highWatermark, lastStableOffset }) => [
      `read_committed ends at ${highWatermark}, stable up to ${lastStableOffset}`,
      ...batches.map((batch) => `read_committed has ${batchText(batch)}`),
      ...aborted.map(({ firstOffset, producerId }) => `aborted from ${firstOffset} of producer ${producerId}`)
    ]),
    ...failureOr(producers, (known) =>
      known.map(({ coordinatorEpoch, epoch, lastSequence, producerId, transactionStartOffset }) =>
        `knows producer ${producerId}: epoch ${epoch}, last sequence ${lastSequence}, coordinator epoch ${coordinatorEpoch}, `
        + (transactionStartOffset === Sequence.none ? "no transaction" : `transaction from ${transactionStartOffset}`)
      ))
  ].map((line) =>
    `${name} ${line}`
  )

const describedText = (described: Statement["ids"][number]): string => {
  if ("failed" in described) return described.failed
  if (described.error !== "NONE") return described.error
  const { epoch, partitions, producerId, state } = described
  return `${state}, producer ${producerId}, epoch ${epoch}${partitions.length === 0 ? "" : `, ${partitions.join(" ")}`}`
}

/** For people; no two lines are the same. */
export const linesOf = ({ ids, offsets, partitions }: Statement): ReadonlyArray<string> => [
  ...ids.map((described, i) => `transactional id ${i + 1}: ${describedText(described)}`),
  ...partitions.flatMap(partitionLines),
  ...offsets.map((offset, i) =>
    `group's offset${i === 0 ? "" : ", stable"}: ${
      "failed" in offset ? offset.failed : `${offset.error}, ${offset.offset}`
    }`
  )
]
