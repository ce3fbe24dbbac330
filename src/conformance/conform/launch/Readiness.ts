/**
 * A broker that has just been started is of no use yet: its first answers are that producer ids, coordinators and their
 * topics are not there, and some of those requests have had an effect all the same. This module asks, with requests that
 * leave nothing behind but one producer id, until everything is there.
 */
import { Effect, Schedule } from "effect"
import { Errors } from "../../../core/index.ts"
import { type Address, Connection } from "../../../runtime/remote/index.ts"
import { type Definition, Messages } from "../../../wire/index.ts"

/** Between two questions. */
export const pauses = Schedule.spaced("20 millis")

/** That nobody has. */
const name = "keos-is-anybody-there"

const software = { clientSoftwareName: "keos", clientSoftwareVersion: "0.1.0" }

const connect = ({ host, port }: Address.Address) =>
  Connection.connect({ host, port, connectTimeoutMillis: 2_000, answerTimeoutMillis: 10_000 })

/** What a broker is able to, once. */
export const apiVersions = (
  address: Address.Address
): Effect.Effect<Definition.Message<typeof Messages.ApiVersions.response.fields>, Connection.ConnectionError> =>
  Effect.scoped(Effect.flatMap(connect(address), (connection) => connection.request(Messages.ApiVersions, 3, software)))

/** What is asked of a broker, and the error in the answer. */
interface Question {
  readonly what: string
  readonly errorCode: (connection: Connection.Connection) => Effect.Effect<number, Connection.ConnectionError>
}

const coordinator = (what: string, keyType: number): Question => ({
  what: `FindCoordinator for ${what}`,
  errorCode: (connection) =>
    Effect.map(
      connection.request(Messages.FindCoordinator, 4, { keyType, coordinatorKeys: [name] }),
      ({ coordinators }) => coordinators[0]?.errorCode ?? Errors.codes.COORDINATOR_NOT_AVAILABLE
    )
})

const questions: ReadonlyArray<Question> = [
  {
    what: "ApiVersions",
    errorCode: (connection) =>
      Effect.map(connection.request(Messages.ApiVersions, 3, software), ({ errorCode }) => errorCode)
  },
  coordinator("groups", 0),
  coordinator("transactions", 1),
  {
    what: "OffsetFetch",
    errorCode: (connection) =>
      Effect.map(
        connection.request(Messages.OffsetFetch, 8, { groups: [{ groupId: name, topics: null }] }),
        ({ groups }) => groups[0]?.errorCode ?? Errors.codes.COORDINATOR_NOT_AVAILABLE
      )
  },
  {
    what: "DescribeTransactions",
    errorCode: (connection) =>
      Effect.map(
        connection.request(Messages.DescribeTransactions, 0, { transactionalIds: [name] }),
        ({ transactionStates }) => transactionStates[0]?.errorCode ?? Errors.codes.COORDINATOR_NOT_AVAILABLE
      )
  },
  {
    what: "InitProducerId",
    errorCode: (connection) =>
      Effect.map(
        connection.request(Messages.InitProducerId, 4, { transactionalId: null, transactionTimeoutMs: 60_000 }),
        ({ errorCode }) => errorCode
      )
  }
]

/** Answers of a coordinator that knows what it is asked about, or that there is no such thing. */
const settled: ReadonlyArray<number> = [Errors.codes.NONE, Errors.codes.TRANSACTIONAL_ID_NOT_FOUND]

/** A request and the error that it was answered with. */
const shown = (what: string, errorCode: number): string => {
  const error = Object.entries(Errors.codes).find(([, code]) => code === errorCode)
  return `${what} was answered with ${error === undefined ? `error ${errorCode}` : error[0]}`
}

/**
 * Waits until a broker and both of its coordinators serve; it never gives up. `tell` is called with what keeps it waiting.
 */
export const wait = (address: Address.Address, tell: (obstacle: string) => void): Effect.Effect<void> => {
  const ask = ({ errorCode, what }: Question, connection: Connection.Connection) =>
    errorCode(connection).pipe(
      Effect.map((code) => {
        const isSettled = settled.includes(code)
        if (!isSettled) tell(shown(what, code))
        return isSettled
      }),
      Effect.repeat({ until: (isSettled) => isSettled, schedule: pauses })
    )
  return connect(address).pipe(
    Effect.flatMap((connection) => Effect.forEach(questions, (question) => ask(question, connection))),
    Effect.scoped,
    Effect.tapError(({ message }) => Effect.sync(() => tell(message))),
    Effect.retry(pauses),
    Effect.orDie,
    Effect.asVoid
  )
}
