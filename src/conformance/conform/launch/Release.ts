/**
 * Which release of Apache Kafka a broker is, by what it says in its answer to ApiVersions.
 *
 * The table has what tells the release lines apart: the highest versions of some APIs, and the highest supported level of
 * `metadata.version`. It was read off brokers of the Maven artifacts 3.9.1, 4.0.1, 4.1.1, 4.2.0, 4.3.1 and 4.4.0 with
 * default settings, with ApiVersions version 4. The levels are those of `MetadataVersion`: 3.9-IV0, 4.0-IV3, 4.1-IV1,
 * 4.2-IV1, 4.3-IV0, 4.4-IV2. APIs whose highest version depends on `unstable.api.versions.enable` are left out.
 */
import { type Definition, Messages } from "../../../wire/index.ts"

/** Releases that behave the same, but for mistakes that were mended. */
export type Line = "3.9" | "4.0" | "4.1" | "4.2" | "4.3" | "4.4"

/** From the oldest on. */
export const lines: ReadonlyArray<Line> = ["3.9", "4.0", "4.1", "4.2", "4.3", "4.4"]

/** The levels of the feature `transaction.version`. KIP-890: 1 has flexible records, 2 has an epoch per transaction. */
export type TransactionVersion = 0 | 1 | 2

export interface Identity {
  /** The nearest, where it is a guess. */
  readonly line: Line
  /** The level that holds now, 0 where none is finalized. A broker that nobody knows may have one above 2. */
  readonly transactionVersion: number
  /** Why `line` is a guess: in what the broker differs from it. Undefined where it is certain. */
  readonly guess: string | undefined
}

export type Response = Definition.Message<typeof Messages.ApiVersions.response.fields>

interface Evidence {
  readonly name: string
  readonly of: (response: Response) => number | undefined
  /** Per line, in their order. */
  readonly expected: readonly [number, number, number, number, number, number]
}

const highest = ({ key, name }: Pick<Definition.Api, "key" | "name">, expected: Evidence["expected"]): Evidence => ({
  name,
  expected,
  of: ({ apiKeys }) => apiKeys.find(({ apiKey }) => apiKey === key)?.maxVersion
})

const table: ReadonlyArray<Evidence> = [
  highest(Messages.Produce, [11, 12, 13, 13, 13, 13]),
  highest(Messages.Fetch, [17, 17, 18, 18, 18, 18]),
  highest(Messages.ListOffsets, [9, 10, 10, 11, 11, 11]),
  highest(Messages.OffsetCommit, [9, 9, 9, 10, 10, 10]),
  highest(Messages.OffsetFetch, [9, 9, 9, 10, 10, 10]),
  highest(Messages.ApiVersions, [4, 4, 4, 4, 4, 5]),
  highest(Messages.EndTxn, [4, 5, 5, 5, 5, 5]),
  highest(Messages.TxnOffsetCommit, [4, 5, 5, 5, 5, 6]),
  highest(Messages.ListTransactions, [1, 1, 2, 2, 2, 2]),
  highest({ key: 35, name: "DescribeLogDirs" }, [4, 4, 4, 4, 5, 5]),
  {
    name: "metadata.version",
    expected: [21, 25, 27, 29, 30, 33],
    of: ({ supportedFeatures }) => supportedFeatures.find(({ name }) => name === "metadata.version")?.maxVersion
  }
]

interface Difference {
  readonly name: string
  readonly found: number | undefined
  readonly expected: number
}

const differencesFrom = (response: Response, index: number): ReadonlyArray<Difference> =>
  table.flatMap(({ expected, name, of }) => {
    const found = of(response)
    return found === expected[index] ? [] : [{ name, found, expected: expected[index]! }]
  })

/** What a broker does not have says nothing about which line is nearer. */
const distanceOf = (differences: ReadonlyArray<Difference>): number =>
  differences.reduce((sum, { expected, found }) => sum + (found === undefined ? 0 : Math.abs(found - expected)), 0)

const describe = ({ expected, found, name }: Difference): string =>
  found === undefined ? `it has no ${name}` : `${name} goes to ${found} and not to ${expected}`

/**
 * Says which line a broker is of. To be asked with version 3 of ApiVersions or a later one; below, there are no features.
 */
export const identify = (response: Response): Identity => {
  const candidates = lines.map((line, index) => ({ line, differences: differencesFrom(response, index) }))
  // Of those that are equally near, the newest.
  const { differences, line } = candidates.reduce((best, one) =>
    distanceOf(one.differences) <= distanceOf(best.differences) ? one : best
  )
  const level = response.finalizedFeatures.find(({ name }) => name === "transaction.version")?.maxVersionLevel
  return {
    line,
    transactionVersion: level ?? 0,
    guess: differences.length === 0
      ? undefined
      : `${line} is the nearest known release, but ${differences.map(describe).join(", ")}`
  }
}
