/**
 * The versions in which a broker is asked, by API: those that stand for version 1 and version 2 of transactions (KIP-890),
 * and for the rest the newest in which messages name topics.
 */
import type { Transaction } from "../../core/index.ts"
import { type Definition, Messages } from "../../wire/index.ts"

type ByVersion = Readonly<Record<Transaction.Version, number>>

export interface Dialect {
  readonly InitProducerId: number
  /** Of a client. */
  readonly AddPartitionsToTxn: number
  /** Of a leader, which only asks. */
  readonly VerifyPartition: number
  readonly AddOffsetsToTxn: number
  readonly EndTxn: ByVersion
  readonly Produce: ByVersion
  readonly TxnOffsetCommit: ByVersion
  readonly WriteTxnMarkers: number
  readonly Fetch: number
  readonly OffsetFetch: number
  readonly DescribeProducers: number
  readonly DescribeTransactions: number
  readonly CreateTopics: number
  readonly DeleteTopics: number
  readonly ListOffsets: number
  readonly FindCoordinator: number
}

/** What a broker says that it understands: ApiVersions. */
export type ApiVersions = Definition.Message<typeof Messages.ApiVersions.response.fields>

/** The newest versions that are wanted of each API. */
const wanted = {
  InitProducerId: 5,
  AddPartitionsToTxn: 3,
  VerifyPartition: 5,
  AddOffsetsToTxn: 4,
  EndTxn: { 1: 4, 2: 5 },
  Produce: { 1: 11, 2: 12 },
  TxnOffsetCommit: { 1: 4, 2: 5 },
  WriteTxnMarkers: 2,
  Fetch: 12,
  OffsetFetch: 9,
  DescribeProducers: 0,
  DescribeTransactions: 0,
  CreateTopics: 7,
  DeleteTopics: 5,
  ListOffsets: 7,
  FindCoordinator: 4
} as const satisfies Dialect

/** What a leader asks is asked by the API that clients have. */
const apiNameOf = (name: keyof Dialect): string => name === "VerifyPartition" ? Messages.AddPartitionsToTxn.name : name

const keys: ReadonlyMap<string, number> = new Map(Messages.apis.map(({ key, name }) => [name, key]))

/** The dialect of a broker, and the APIs that it lacks: their versions are the wanted ones. */
export const of = (
  { apiKeys }: ApiVersions
): { readonly dialect: Dialect; readonly lacking: ReadonlyArray<string> } => {
  const lacking: Array<string> = []
  const offered = (name: keyof Dialect, version: number): number => {
    const key = keys.get(apiNameOf(name))
    const found = apiKeys.find(({ apiKey }) => apiKey === key)
    if (found === undefined || found.minVersion > version) {
      lacking.push(name)
      return version
    }
    return Math.min(version, found.maxVersion)
  }
  const entries = Object.entries(wanted).map(([name, version]) => [
    name,
    typeof version === "number"
      ? offered(name as keyof Dialect, version)
      : { 1: offered(name as keyof Dialect, version[1]), 2: offered(name as keyof Dialect, version[2]) }
  ])
  return { dialect: Object.fromEntries(entries) as Dialect, lacking }
}
