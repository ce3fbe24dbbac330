/**
 * Histories of the runtime's transactions in the public format: what one judge was made for, told to the other.
 *
 * Each start of an application is another process. A record is acknowledged with its transaction, since a commit waits for
 * every record; what becomes of it otherwise nobody tells. Offsets of inputs are those of one partition.
 */
import type * as Format from "../../../src/conformance/judge/Format.ts"
import type * as History from "../../../src/conformance/transactions/History.ts"

const GROUP = "group"
const INPUT = "inputs"
const inputs = (offset: number): Format.Position => ({ topic: INPUT, partition: 0, offset })

interface Client {
  process: string
  starts: number
  isInitialized: boolean
  transaction: Open | undefined
}

interface Open {
  readonly name: string
  readonly input: number
  readonly records: Array<number>
  called: "commit" | "abort" | undefined
}

const nameOf = ({ client, number }: History.Name): string => `${client}-${number}`

/** The transactions whose commit is reported in the end: what is handed to them takes effect. */
const committedIn = (history: ReadonlyArray<History.Event>): ReadonlySet<string> =>
  new Set(history.flatMap((event) => event._tag === "Committed" ? [nameOf(event.transaction)] : []))

/** The same history, event by event. */
export function* translate(history: ReadonlyArray<History.Event>): Generator<Format.Event, void> {
  const committed = committedIn(history)
  const clients = new Map<number, Client>()
  const standing = new Set<string>()

  const clientNumbered = (number: number): Client => {
    const known = clients.get(number)
    if (known !== undefined) return known
    const client: Client = { process: `client-${number}`, starts: 0, isInitialized: false, transaction: undefined }
    clients.set(number, client)
    return client
  }

  const restart = (client: Client, number: number): void => {
    client.process = `client-${number}-${++client.starts}`
    client.isInitialized = false
    client.transaction = undefined
  }

  const told = (process: string, offset: number): Format.Event => ({
    type: "ok",
    process,
    operation: "fetchOffsets",
    group: GROUP,
    offsets: [offset === 0 ? { topic: INPUT, partition: 0 } : inputs(offset)]
  })

  /** The transactional id is told when the call returns, and the call was made before. */
  const idOf = new Map(
    history.flatMap((event) => event._tag === "Initialized" ? [[event.client, `id-${event.transactionalId}`]] : [])
  )

  function* consuming({ consumer, partition }: History.Read | History.End): Generator<Format.Event, string> {
    const process = `consumer-${consumer}`
    if (!standing.has(`${process} ${partition}`)) {
      standing.add(`${process} ${partition}`)
      yield { type: "ok", process, operation: "assign", partitions: [{ topic: partition, partition: 0, offset: 0 }] }
    }
    return process
  }

  function* end(event: History.Committed | History.Aborted | History.Lost): Generator<Format.Event, void> {
    const { process, transaction } = clientNumbered(event.transaction.client)
    const { called, name, records } = transaction!
    if (called === undefined) return
    const type = event._tag === "Lost" ? "info" : event._tag === "Aborted" && called === "commit" ? "fail" : "ok"
    if (event._tag === "Committed") {
      for (const record of records) yield { type: "ok", process, operation: "send", record }
    }
    yield { type, process, operation: called, transaction: name }
  }

  for (const event of history) {
    switch (event._tag) {
      case "Initializing": {
        const client = clientNumbered(event.client)
        if (client.isInitialized) restart(client, event.client)
        const id = idOf.get(event.client)
        if (id === undefined) break
        yield { type: "invoke", process: client.process, operation: "initTransactions", transactionalId: id }
        break
      }
      case "Initialized": {
        const client = clientNumbered(event.client)
        client.isInitialized = true
        yield {
          type: "ok",
          process: client.process,
          operation: "initTransactions",
          transactionalId: `id-${event.transactionalId}`
        }
        break
      }
      case "Began": {
        const client = clientNumbered(event.transaction.client)
        const name = nameOf(event.transaction)
        if (client.transaction !== undefined && client.transaction.called === undefined) {
          restart(client, event.transaction.client)
        }
        client.transaction = { name, input: event.input, records: [], called: undefined }
        const call = { process: client.process, operation: "begin", transaction: name } as const
        yield { type: "invoke", ...call }
        yield { type: "ok", ...call }
        break
      }
      case "HandedOver": {
        const { process, transaction } = clientNumbered(event.transaction.client)
        const { input, name, records } = transaction!
        records.push(event.record)
        yield {
          type: "invoke",
          process,
          operation: "send",
          record: event.record,
          topic: event.partition,
          partition: 0,
          transaction: name,
          ...(input < 0 ? {} : { input: { group: GROUP, ...inputs(input) } })
        }
        break
      }
      case "OffsetHandedOver": {
        const { process, transaction } = clientNumbered(event.transaction.client)
        const call = { process, operation: "sendOffsets", transaction: transaction!.name } as const
        yield { type: "invoke", ...call, group: GROUP, offsets: [inputs(event.offset)] }
        yield { type: committed.has(transaction!.name) ? "ok" : "info", ...call }
        break
      }
      case "CommitCalled":
      case "AbortCalled": {
        const { process, transaction } = clientNumbered(event.transaction.client)
        const { called, name } = transaction!
        if (called !== undefined) yield { type: "info", process, operation: called, transaction: name }
        transaction!.called = event._tag === "CommitCalled" ? "commit" : "abort"
        yield { type: "invoke", process, operation: transaction!.called, transaction: name }
        break
      }
      case "Committed":
      case "Aborted":
      case "Lost":
        yield* end(event)
        break
      case "Joined":
        yield told(`member-${event.client}`, event.offset)
        break
      case "OffsetCommitted": {
        const call = { process: `member-${event.client}`, operation: "commitOffsets", group: GROUP } as const
        yield { type: "invoke", ...call, offsets: [inputs(event.offset)] }
        yield { type: "ok", ...call }
        break
      }
      case "Read": {
        const process = yield* consuming(event)
        const records = [{ topic: event.partition, partition: 0, offset: event.offset, record: event.record }]
        yield { type: "ok", process, operation: "poll", isolation: event.isolation, records }
        break
      }
      case "End": {
        const process = yield* consuming(event)
        const positions = [{ topic: event.partition, partition: 0, offset: event.offset }]
        yield { type: "ok", process, operation: "caughtUp", isolation: event.isolation, positions }
        break
      }
      case "GroupEnd":
        yield told("observer", event.offset)
    }
  }
}
