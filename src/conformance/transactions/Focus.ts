/**
 * The focus on a run of transactions: those that are not settled, and what the logs have of them.
 *
 * A transaction is settled when its client has gone on to another, no coordinator and no message that is waited for knows
 * it any more, and all that the logs have of it is replicated and ended by its own markers, which end nothing else. With a
 * group, its input must be below the offset that the group has committed. Nothing about it can change any more, except
 * that a late copy of one of its messages is taken; then everything is looked at again.
 *
 * What is settled is forgotten in batches, when the logs are twice as long as after the last one; numbers of transactions,
 * offsets and inputs are then counted from there. Messages keep their names: no property looks at those.
 */
import type { Transaction } from "../../core/index.ts"
import { Sequence, Transaction as Transactions, TransactionalPartition } from "../../core/index.ts"
import type { Configuration } from "../../model/transactions/Configuration.ts"
import type { Memory, World } from "../../model/transactions/World.ts"
import { live } from "../../model/transactions/World.ts"
import type { Focus } from "../Focus.ts"
import { everything } from "../Focus.ts"

type Entry = TransactionalPartition.Entry
type Partition = TransactionalPartition.Partition
type Name = Transaction.Name

/** From where things are counted. */
interface Origin {
  /** How many transactions of each client are forgotten, by its number less 1. */
  readonly transactions: ReadonlyArray<number>
  /** Inputs below this are forgotten. */
  readonly input: number
  /** What is kept of each partition's log up to an index that was replicated then, and the index. */
  readonly logs: ReadonlyArray<{ readonly kept: ReadonlyArray<Entry>; readonly end: number }>
}

const initial = ({ clients, partitions }: Configuration): Origin => ({
  transactions: Array.from({ length: clients }, () => 0),
  input: 0,
  logs: partitions.map(() => ({ kept: [], end: 0 }))
})

/** Offsets that are committed outside of transactions have no name. */
const isNamed = ({ client, number }: Name): boolean => client > 0 && number > 0

const isForgotten = ({ transactions }: Origin, name: Name): boolean =>
  isNamed(name) && name.number <= transactions[name.client - 1]!

/** What the log of a partition has that is not forgotten. */
const remembered = ({ logs }: Origin, { log }: Partition, place: number): ReadonlyArray<Entry> => {
  const { end, kept } = logs[place]!
  return [...kept, ...log.slice(end)]
}

const indexOf = (entries: ReadonlyArray<Entry>, offset: number): number => {
  let index = entries.length
  while (index > 0 && entries[index - 1]!.offset >= offset) index--
  return index
}

// ---------------------------------------------------------------------------------------------------------------------
// Settled
// ---------------------------------------------------------------------------------------------------------------------

const textOf = ({ client, number }: Name): string => `${client} ${number}`

/** The transactions that a coordinator knows, or a message that is waited for. */
const known = ({ coordinators, markers, produces, requests, transactionStates }: World): ReadonlyArray<Name> => [
  ...requests.flatMap(({ copy, request }) => copy === live ? [request.transaction] : []),
  ...produces.flatMap(({ copy, produce }) => copy === live ? [produce.transaction] : []),
  ...markers.flatMap(({ copy, marker }) => copy === live ? [marker.transaction] : []),
  ...transactionStates.map(({ transaction }) => transaction),
  ...coordinators.flatMap(({ appending, completing, metadata }) =>
    [metadata, ...completing, ...(appending === undefined ? [] : [appending])].map(({ transaction }) => transaction)
  )
]

/** The transactions with something that is not replicated, not ended, or ended by the marker of another. */
const entangled = (entries: ReadonlyArray<Entry>, highWatermark: number): ReadonlyArray<Name> => {
  const found: Array<Name> = []
  const open = new Map<number, Array<Name>>()
  for (const { isTransactional, kind, offset, producerId, transaction } of entries) {
    if (offset >= highWatermark) found.push(transaction)
    if (kind === "DATA") {
      if (isTransactional) open.set(producerId, [...open.get(producerId) ?? [], transaction])
      continue
    }
    const foreign = (open.get(producerId) ?? []).filter((ended) => textOf(ended) !== textOf(transaction))
    if (foreign.length > 0) found.push(...foreign, transaction)
    open.delete(producerId)
  }
  return [...found, ...[...open.values()].flat()]
}

/** The origin from which nothing is missing that a property could ask for. */
const advanced = ({ partitions }: Configuration, world: World, origin: Origin): Origin => {
  const logs = world.partitions.map((partition, place) => remembered(origin, partition, place))
  const busy = new Set([
    ...known(world),
    ...logs.flatMap((entries, place) => entangled(entries, world.partitions[place]!.highWatermark))
  ].map(textOf))
  const records = logs.flat().filter(({ input, kind, transaction }) =>
    kind === "DATA" && input >= 0 && isNamed(transaction)
  )

  /** As many transactions of each client as are settled, one after the other, with inputs below this. */
  const settled = (input: number): ReadonlyArray<number> => {
    const late = new Set(records.flatMap((entry) => entry.input < input ? [] : [textOf(entry.transaction)]))
    return world.clients.map(({ number: current }, i) => {
      let last = origin.transactions[i]!
      for (let number = last + 1; number < current; number++) {
        const name = textOf({ client: i + 1, number })
        if (busy.has(name) || late.has(name)) break
        last = number
      }
      return last
    })
  }

  // Inputs that a remembered record came of are not forgotten; and then neither are later ones.
  const group = world.partitions[partitions.indexOf(Transactions.groupPartition)]
  let input = group === undefined
    ? 0
    : Math.max(
      origin.input,
      TransactionalPartition.committedOffset({ ...group, log: logs[partitions.indexOf(Transactions.groupPartition)]! })
    )
  let transactions = settled(group === undefined ? Number.POSITIVE_INFINITY : input)
  while (group !== undefined) {
    const kept = records.filter(({ transaction }) => !isForgotten({ ...origin, transactions }, transaction))
    const least = Math.min(input, ...kept.map((entry) => entry.input))
    if (least === input) break
    input = least
    transactions = settled(input)
  }

  const next = { ...origin, transactions, input }
  return {
    ...next,
    logs: world.partitions.map(({ highWatermark, log }, place) => ({
      kept: logs[place]!.slice(0, indexOf(logs[place]!, highWatermark)).filter((entry) =>
        isNamed(entry.transaction) ? !isForgotten(next, entry.transaction) : entry.input >= input
      ),
      end: indexOf(log, highWatermark)
    }))
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Counted from the origin
// ---------------------------------------------------------------------------------------------------------------------

const renamed = (origin: Origin, name: Name): Name => {
  const forgotten = isNamed(name) ? origin.transactions[name.client - 1]! : 0
  return forgotten === 0 ? name : { client: name.client, number: name.number - forgotten }
}

const withName = <A extends { readonly transaction: Name }>(origin: Origin, one: A): A => {
  const transaction = renamed(origin, one.transaction)
  return transaction === one.transaction ? one : { ...one, transaction }
}

const focusedEntry = (origin: Origin, entry: Entry, offset: number): Entry => ({
  ...withName(origin, entry),
  offset,
  input: entry.input < 0 ? entry.input : entry.input - origin.input
})

/** Partitions of one place as they are counted from an origin. */
const focusingPartition = (origin: Origin, place: number): (partition: Partition) => Partition => {
  const log = mapping((entry: Entry, index) => focusedEntry(origin, entry, index))
  return (partition) => {
    const entries = remembered(origin, partition, place)
    return {
      ...partition,
      log: log(entries),
      highWatermark: indexOf(entries, partition.highWatermark),
      producers: new Map(
        Array.from(partition.producers, ([id, state]) => [id, {
          ...state,
          firstOffset: state.firstOffset === Sequence.none ? Sequence.none : indexOf(entries, state.firstOffset)
        }])
      )
    }
  }
}

const focusedCoordinator = (origin: Origin, coordinator: World["coordinators"][number]) => ({
  ...coordinator,
  metadata: withName(origin, coordinator.metadata),
  appending: coordinator.appending === undefined ? undefined : withName(origin, coordinator.appending),
  completing: coordinator.completing.map((metadata) => withName(origin, metadata))
})

const nothing: Memory = { partitions: [], input: Sequence.none, intent: "none", outcome: "none" }

/** As many memories as the configuration has transactions. */
const focusedMemories = (memories: ReadonlyArray<Memory>, forgotten: number, length: number): ReadonlyArray<Memory> =>
  Array.from({ length }, (_, i) => memories[forgotten + i] ?? nothing)

/** Maps lists that differ little from one to the next: what is where it was in the last one is not made again. */
const mapping = <A, B>(make: (one: A, place: number) => B): (list: ReadonlyArray<A>) => ReadonlyArray<B> => {
  let last: ReadonlyArray<A> = []
  let made: ReadonlyArray<B> = []
  return (list) => {
    if (list === last) return made
    made = list.map((one, place) => place < last.length && one === last[place] ? made[place]! : make(one, place))
    last = list
    return made
  }
}

/** Worlds of a run as they are counted from an origin, with room for so many transactions of a client. */
const lensOf = (origin: Origin, length: number): (world: World) => World => {
  const focusing = origin.logs.map((_, place) => focusingPartition(origin, place))
  const clients = mapping((client: World["clients"][number], i) => ({
    ...client,
    number: client.number - origin.transactions[i]!
  }))
  const partitions = mapping((partition: Partition, place) => focusing[place]!(partition))
  const coordinators = mapping((one: World["coordinators"][number]) => focusedCoordinator(origin, one))
  const history = mapping((memories: ReadonlyArray<Memory>, i) =>
    focusedMemories(memories, origin.transactions[i]!, length)
  )
  // A step begins where the one before it ended.
  let last: { readonly world: World; readonly seen: World } | undefined
  return (world) => {
    if (world === last?.world) return last.seen
    const seen = {
      ...world,
      clients: clients(world.clients),
      partitions: partitions(world.partitions),
      coordinators: coordinators(world.coordinators),
      history: history(world.history)
    }
    last = { world, seen }
    return seen
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// The focus
// ---------------------------------------------------------------------------------------------------------------------

/** The fewest entries that are worth a look at what is settled, and by how much they must have grown since the last. */
const fewest = 24
const growth = 1.5

/** How many transactions of a client there is room for besides those that began. */
const spare = 2

/** Follows a run from its beginning; `threshold` is how many entries are worth a look at what is settled. */
export const focus = (configuration: Configuration, threshold = fewest): Focus<Configuration, World> => {
  const all = everything<Configuration, World>(configuration)
  let origin = initial(configuration)
  let limit = threshold
  let focused = { ...configuration, transactionsPerClient: 0 }
  let lens: (world: World) => World = (world) => world

  const size = ({ partitions }: World): number =>
    partitions.reduce(
      (sum, { log }, place) => sum + origin.logs[place]!.kept.length + log.length - origin.logs[place]!.end,
      0
    )

  const begin = (next: Origin): void => {
    origin = next
    lens = lensOf(origin, focused.transactionsPerClient)
  }

  /** Room for all transactions that began; there is some to spare, so that the configuration seldom changes. */
  const makeRoom = (world: World): void => {
    const needed = Math.max(...world.clients.map(({ number }, i) => number - origin.transactions[i]!)) + 1
    const room = focused.transactionsPerClient
    if (needed <= room && room <= needed + 2 * spare) return
    focused = { ...configuration, transactionsPerClient: needed + spare }
    lens = lensOf(origin, needed + spare)
  }

  /** A message of a transaction that is forgotten was taken, or one came of an input that is. */
  const isDisturbed = (world: World): boolean =>
    world.partitions.some(({ log }, place) =>
      log.slice(origin.logs[place]!.end).some(({ input, kind, transaction }) =>
        isForgotten(origin, transaction)
        || (kind === "DATA" && isNamed(transaction) && input >= 0 && input < origin.input)
      )
    )

  return (from, to) => {
    if (size(to) > limit) {
      begin(advanced(configuration, from, origin))
      limit = Math.max(threshold, growth * size(from))
    }
    if (isDisturbed(to)) {
      begin(initial(configuration))
      limit = 0
    }
    if (origin.transactions.every((forgotten) => forgotten === 0)) return all(from, to)
    makeRoom(to)
    return { configuration: focused, from: lens(from), to: lens(to) }
  }
}
