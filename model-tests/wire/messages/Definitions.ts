/**
 * Makes the tables of `src/wire/messages` from the message definitions that lie as JSON in kafka-clients.
 *
 * Kafka 4.0 has dropped the oldest versions of some messages, which brokers of 3.9 still serve. They come from the
 * definitions of 3.9: fields that the newer definitions no longer have are put in where they were. Each version of a
 * table is compared with the definition it comes from.
 */
import { deepStrictEqual } from "node:assert"
import {
  type Field,
  type Fields,
  isNullable,
  isPresent,
  parseVersions,
  type Versions
} from "../../../src/wire/Definition.ts"
import * as Jar from "./Jar.ts"

/** The releases whose definitions are taken: the newest, and the last that served the oldest versions. */
export const releases = { newest: "4.4.0", oldest: "3.9.1" } as const

/** In the order of their keys. */
export const apis = [
  "Produce",
  "Fetch",
  "ListOffsets",
  "Metadata",
  "OffsetCommit",
  "OffsetFetch",
  "FindCoordinator",
  "JoinGroup",
  "Heartbeat",
  "LeaveGroup",
  "SyncGroup",
  "ApiVersions",
  "CreateTopics",
  "DeleteTopics",
  "DeleteRecords",
  "InitProducerId",
  "AddPartitionsToTxn",
  "AddOffsetsToTxn",
  "EndTxn",
  "WriteTxnMarkers",
  "TxnOffsetCommit",
  "DeleteGroups",
  "OffsetDelete",
  "UpdateFeatures",
  "DescribeProducers",
  "DescribeTransactions",
  "ListTransactions",
  "ConsumerGroupHeartbeat"
] as const

const headers = ["RequestHeader", "ResponseHeader"] as const

/** As Kafka's definitions have it. */
interface KafkaField {
  readonly name: string
  readonly type: string
  readonly versions: string
  readonly nullableVersions?: string
  readonly taggedVersions?: string
  readonly flexibleVersions?: "none"
  readonly tag?: number
  readonly default?: string | number | boolean
  readonly ignorable?: boolean
  readonly fields?: ReadonlyArray<KafkaField>
}

interface KafkaDefinition {
  readonly apiKey?: number
  readonly name: string
  readonly validVersions: string
  readonly flexibleVersions: string
  readonly latestVersionUnstable?: boolean
  readonly fields: ReadonlyArray<KafkaField>
  readonly commonStructs?: ReadonlyArray<KafkaField>
}

interface Definition {
  readonly name: string
  readonly apiKey: number | undefined
  readonly latestVersionUnstable: boolean
  readonly versions: Versions
  readonly flexible: number
  readonly fields: Fields
}

type Mutable<A> = { -readonly [Name in keyof A]: A[Name] }

const comment = /"(?:[^"\\]|\\.)*"|\/\/.*$/gm

const parse = (text: string): KafkaDefinition =>
  JSON.parse(text.replace(comment, (found) => found.startsWith("\"") ? found : "")) as KafkaDefinition

const intersect = ([first, last]: Versions, [from, to]: Versions): Versions => [
  Math.max(first, from),
  Math.min(last, to)
]

const isEmpty = ([first, last]: Versions): boolean => first > last

/** What remains to be said of versions within others. */
const within = (versions: Versions, around: Versions): string | undefined => {
  const [first, last] = intersect(versions, around)
  if (first === around[0] && last === around[1]) return undefined
  return last === around[1] ? `${first}+` : first === last ? String(first) : `${first}-${last}`
}

/** The largest int64 is no number, and stands for none where it is a default. */
const LONG_MAX = "9223372036854775807"

const defaultOf = (type: string, value: string | number | boolean): boolean | number | string | null => {
  const text = String(value).trim()
  if (text === "null") return null
  if (type === "string") return text
  if (type === "bool") return text === "true"
  const number = text === LONG_MAX ? Infinity : Number(text)
  if (!Number.isSafeInteger(number) && number !== Infinity) throw new Error(`${text} is no default of ${type}`)
  return number
}

const lowerFirst = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1)

/** The fields that versions `around` have. */
const fieldsOf = (
  fields: ReadonlyArray<KafkaField>,
  around: Versions,
  structs: ReadonlyMap<string, ReadonlyArray<KafkaField>>
): Fields => {
  const entries = fields.flatMap((field): ReadonlyArray<readonly [string, Field]> => {
    const present = intersect(parseVersions(field.versions), around)
    if (isEmpty(present)) return []
    if (field.taggedVersions !== undefined) {
      deepStrictEqual(
        parseVersions(field.taggedVersions),
        parseVersions(field.versions),
        `${field.name} is tagged at times`
      )
    }
    const made: Mutable<Field> = { type: field.type }
    const versions = within(parseVersions(field.versions), around)
    if (versions !== undefined) made.versions = versions
    if (field.nullableVersions !== undefined) {
      const nullable = intersect(parseVersions(field.nullableVersions), present)
      if (!isEmpty(nullable)) made.nullable = within(nullable, present) ?? true
    }
    if (field.tag !== undefined) made.tag = field.tag
    if (field.default !== undefined) made.default = defaultOf(field.type, field.default)
    if (field.ignorable === true) made.ignorable = true
    if (field.flexibleVersions !== undefined) made.flexibleVersions = field.flexibleVersions
    const inner = field.fields ?? structs.get(field.type.replace("[]", ""))
    if (inner !== undefined) made.fields = fieldsOf(inner, present, structs)
    return [[lowerFirst(field.name), made]]
  })
  return Object.fromEntries(entries)
}

const structsOf = ({ commonStructs = [] }: KafkaDefinition): ReadonlyMap<string, ReadonlyArray<KafkaField>> =>
  new Map(commonStructs.map(({ fields, name }) => [name, fields ?? []]))

/** Puts in what only the older definition has. */
const merge = (
  newer: ReadonlyArray<KafkaField>,
  older: ReadonlyArray<KafkaField>,
  dropped: Versions
): ReadonlyArray<KafkaField> => {
  const merged = newer.map((field): KafkaField => {
    const old = older.find(({ name }) => name === field.name)
    return old?.fields === undefined || field.fields === undefined
      ? field
      : { ...field, fields: merge(field.fields, old.fields, dropped) }
  })
  for (const [index, field] of older.entries()) {
    if (newer.some(({ name }) => name === field.name)) continue
    if (isEmpty(intersect(parseVersions(field.versions), dropped))) continue
    const before = older[index - 1]?.name
    const position = merged.findIndex(({ name }) => name === before) + 1
    merged.splice(position, 0, { ...field, versions: rangeOf(intersect(parseVersions(field.versions), dropped)) })
  }
  return merged
}

const rangeOf = ([first, last]: Versions): string => `${first}-${last}`

/** What a version of a message is on the wire. */
const layout = (fields: Fields, version: number): ReadonlyArray<object> =>
  Object.entries(fields).filter(([, field]) => isPresent(field, version)).map(([name, field]) => ({
    name,
    ...field,
    versions: undefined,
    ignorable: undefined,
    nullable: isNullable(field, version),
    fields: field.fields === undefined ? undefined : layout(field.fields, version)
  }))

const definition = (newest: KafkaDefinition, oldest: KafkaDefinition): Definition => {
  const current = parseVersions(newest.validVersions)
  const past = parseVersions(oldest.validVersions)
  const versions: Versions = [Math.min(current[0], past[0]), current[1]]
  const structs = structsOf(newest)
  const fields = fieldsOf(merge(newest.fields, oldest.fields, [versions[0], current[0] - 1]), versions, structs)
  for (let version = versions[0]; version <= versions[1]; version++) {
    const [source, valid] = version < current[0] ? [oldest, past] : [newest, current]
    deepStrictEqual(
      layout(fields, version),
      layout(fieldsOf(source.fields, valid, structsOf(source)), version),
      `${newest.name} ${version} is not as defined`
    )
  }
  return {
    name: newest.name,
    apiKey: newest.apiKey,
    latestVersionUnstable: newest.latestVersionUnstable === true,
    versions,
    flexible: parseVersions(newest.flexibleVersions)[0],
    fields
  }
}

const indentation = "  "

const scalars = ({ fields: _, ...rest }: Field): ReadonlyArray<string> =>
  Object.entries(rest).map(([name, value]) => `${name}: ${value === Infinity ? "Infinity" : JSON.stringify(value)}`)

const fieldLines = ([name, field]: readonly [string, Field], indent: string): ReadonlyArray<string> => {
  if (field.fields === undefined) return [`${indent}${name}: { ${scalars(field).join(", ")} }`]
  const inner = indent + indentation
  return [
    `${indent}${name}: {`,
    ...scalars(field).map((line) => `${inner}${line},`),
    `${inner}fields: {`,
    ...separated(Object.entries(field.fields).map((entry) => fieldLines(entry, inner + indentation))),
    `${inner}}`,
    `${indent}}`
  ]
}

/** Puts commas between. */
const separated = (groups: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> =>
  groups.flatMap((lines, index) =>
    index === groups.length - 1 ? lines : [...lines.slice(0, -1), `${lines[lines.length - 1]!},`]
  )

const definitionLines = ({ fields, flexible, name, versions }: Definition, indent: string): ReadonlyArray<string> => [
  `${indent}name: "${name}",`,
  `${indent}versions: [${versions.join(", ")}],`,
  `${indent}flexible: ${flexible},`,
  ...(Object.keys(fields).length === 0 ? [`${indent}fields: {}`] : [
    `${indent}fields: {`,
    ...separated(Object.entries(fields).map((entry) => fieldLines(entry, indent + indentation))),
    `${indent}}`
  ])
]

const header = (what: string): string =>
  `/** ${what}, by the definitions of Kafka ${releases.newest} and ${releases.oldest}. `
  + "Made by the tests' `regenerate.ts`. */"

const file = (what: string, type: string, lines: ReadonlyArray<string>): string =>
  [
    header(what),
    `import type { ${type} } from "../Definition.ts"`,
    "",
    ...lines,
    ""
  ].join("\n")

const apiFile = (name: string, request: Definition, response: Definition): string => {
  deepStrictEqual(response.versions, request.versions)
  deepStrictEqual(response.flexible, request.flexible)
  return file(`${name}, key ${request.apiKey}`, "Api", [
    `export const ${name} = {`,
    `  name: "${name}",`,
    `  key: ${request.apiKey},`,
    ...(request.latestVersionUnstable ? ["  latestVersionUnstable: true,"] : []),
    "  request: {",
    ...definitionLines(request, "    "),
    "  },",
    "  response: {",
    ...definitionLines(response, "    "),
    "  }",
    "} as const satisfies Api"
  ])
}

const indexFile = [
  header("Every message"),
  ...[...apis, ...headers].toSorted().map((name) => `import { ${name} } from "./${name}.ts"`),
  "",
  "export {",
  ...separated([...apis, ...headers].toSorted().map((name) => [`  ${name}`])),
  "}",
  "",
  "/** In the order of their keys. */",
  "export const apis = [",
  ...separated(apis.map((name) => [`  ${name}`])),
  "] as const",
  ""
].join("\n")

const folder = "common/message/"

const read = (path: string): ReadonlyMap<string, KafkaDefinition> =>
  new Map(
    [...Jar.read(path, (name) => name.startsWith(folder) && name.endsWith(".json"))].map(([, text]) => {
      const found = parse(text)
      return [found.name, found]
    })
  )

/** The versions that the definitions of a release have, by the name of the API. */
export const versionsOf = (jar: string): ReadonlyMap<string, Versions> => {
  const found = read(jar)
  return new Map(apis.map((name) => [name, parseVersions(found.get(`${name}Request`)!.validVersions)]))
}

/** The files of `src/wire/messages` by name, from the jars of the two releases. */
export const generate = (jars: { readonly newest: string; readonly oldest: string }): ReadonlyMap<string, string> => {
  const newest = read(jars.newest)
  const oldest = read(jars.oldest)
  const made = (name: string): Definition => definition(newest.get(name)!, oldest.get(name)!)
  return new Map([
    ...apis.map((name) => [`${name}.ts`, apiFile(name, made(`${name}Request`), made(`${name}Response`))] as const),
    ...headers.map((name) =>
      [
        `${name}.ts`,
        file(name, "Definition", [
          `export const ${name} = {`,
          ...definitionLines(made(name), indentation),
          "} as const satisfies Definition"
        ])
      ] as const
    ),
    ["index.ts", indexFile]
  ])
}
