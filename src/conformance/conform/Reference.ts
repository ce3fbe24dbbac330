/**
 * The reference implementation as a broker to judge: as it is, by the rules of the newest release, or with a bug of the
 * museum. What judges other brokers has to find nothing in the one, and each bug that a client can notice in the others.
 */
import { Effect, Result, Schema, type Scope } from "effect"
import {
  FetchMuseum,
  FetchRules,
  Museum,
  Releases,
  Rules,
  TransactionMuseum,
  TransactionReleases,
  TransactionRules
} from "../../core/index.ts"
import type { Remote } from "../../runtime/index.ts"
import { Server } from "../../runtime/server/index.ts"

/** Rules that an exhibit changes, of brokers and of what they keep for readers. */
interface Overrides {
  readonly transactions?: TransactionMuseum.Override
  readonly producers?: Museum.Override
  readonly reading?: FetchMuseum.Override
}

const transactionMuseum: Readonly<Record<string, TransactionMuseum.Override>> = TransactionMuseum.overrides
const museum: Readonly<Record<string, Museum.Override>> = Museum.overrides
const fetchMuseum: Readonly<Record<string, FetchMuseum.Override>> = FetchMuseum.overrides

/** The names of all exhibits, those of clients among them, which a broker cannot have. */
export const exhibits: ReadonlyArray<string> = [
  ...Object.keys(transactionMuseum),
  ...Object.keys(museum),
  ...Object.keys(fetchMuseum)
]

const overridesOf = (exhibit: string | undefined): Overrides => {
  if (exhibit === undefined) return {}
  const [transactions, producers, reading] = [transactionMuseum[exhibit], museum[exhibit], fetchMuseum[exhibit]]
  if (transactions !== undefined) return { transactions }
  return producers === undefined ? { reading: reading! } : { producers }
}

/** Which reference to serve. */
export interface ReferenceSpecification {
  readonly transactionVersion: 1 | 2
  /** The bug that it has, if any. */
  readonly exhibit: string | undefined
}

/** A text that names no reference. */
export class InvalidReference extends Schema.TaggedError<InvalidReference>()("InvalidReference", {
  text: Schema.String,
  message: Schema.String
}) {}

export const prefix = "keos"

/** Reads `keos[,transaction.version=1|2][,exhibit=NAME]`. */
export const parse = (text: string): Result.Result<ReferenceSpecification, InvalidReference> => {
  const refuse = (message: string) => Result.fail(new InvalidReference({ text, message }))
  const [name, ...settings] = text.split(",")
  if (name !== prefix) return refuse(`'${text}' does not begin with '${prefix}'`)
  let found: ReferenceSpecification = { transactionVersion: 2, exhibit: undefined }
  for (const setting of settings) {
    const [key, value = ""] = setting.split("=")
    if (key === "transaction.version" && (value === "1" || value === "2")) {
      found = { ...found, transactionVersion: value === "1" ? 1 : 2 }
    } else if (key === "exhibit" && exhibits.includes(value)) {
      found = { ...found, exhibit: value }
    } else if (key === "exhibit") {
      return refuse(`there is no exhibit '${value}'; 'keos bugs list' has their names`)
    } else {
      return refuse(`'${setting}' is none of transaction.version=1, transaction.version=2, exhibit=NAME`)
    }
  }
  return Result.succeed(found)
}

export const format = ({ exhibit, transactionVersion }: ReferenceSpecification): string =>
  `${prefix},transaction.version=${transactionVersion}${exhibit === undefined ? "" : `,exhibit=${exhibit}`}`

/** As often as it looks for transactions that take too long, in milliseconds. */
const timeoutCheckMs = 200

/** Serves it at a free port until the scope ends. */
export const serve = Effect.fn("Reference.serve")(function*(
  { exhibit, transactionVersion }: ReferenceSpecification
): Effect.fn.Return<Remote.Address.Address, never, Scope.Scope> {
  const { producers, reading, transactions } = overridesOf(exhibit)
  const { host, port } = yield* Effect.orDie(Server.make({
    transactionVersion,
    rules: { ...TransactionRules.base, ...TransactionReleases.overrides.Kafka, ...transactions },
    idempotentRules: { ...Rules.base, ...Releases.overrides["4.4"], ...producers },
    fetchRules: { ...FetchRules.base, ...reading },
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": timeoutCheckMs
  }))
  return { host, port }
})
