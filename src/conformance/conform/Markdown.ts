/**
 * Reports of several targets side by side: what passed by topic and target, and where each of them diverges.
 */
import type { Case, Divergence, Document } from "./Report.ts"
import * as Telling from "./Telling.ts"

/** Characters that mean something in a table or a paragraph. */
const escaped = (text: string): string => text.replaceAll(/[\\`*_{}[\]<>|]/g, String.raw`\$&`)

/** A span of code, whatever is in it. */
const code = (text: string): string => {
  const longest = Math.max(0, ...Array.from(text.matchAll(/`+/g), ([ticks]) => ticks.length))
  const fence = "`".repeat(longest + 1)
  return longest === 0 ? `${fence}${text}${fence}` : `${fence} ${text} ${fence}`
}

const row = (cells: ReadonlyArray<string>): string => `| ${cells.join(" | ")} |`

const count = (cases: ReadonlyArray<Case>, status: Case["status"]): number =>
  cases.filter((one) => one.status === status).length

/** `24 / 0 / 0`: passed, failed, not judged. */
const cell = (cases: ReadonlyArray<Case>): string => {
  if (cases.length === 0) return "–"
  const [passed, failed, notJudged] = (["passed", "failed", "not judged"] as const).map((status) =>
    count(cases, status)
  )
  const text = `${passed} / ${failed} / ${notJudged}`
  return failed === 0 && notJudged === 0 ? text : `**${text}**`
}

/** The heads of the columns; targets that have one name are told apart by number. */
const namesOf = (documents: ReadonlyArray<Document>): ReadonlyArray<string> => {
  const names = documents.map(({ release, target }) =>
    release === null || target.name.includes("transaction.version")
      ? target.name
      : `${target.name} (${release.line}, transaction.version ${release.transactionVersion})`
  )
  return names.map((name, i) =>
    names.indexOf(name) === names.lastIndexOf(name)
      ? name
      : `${name} #${names.slice(0, i + 1).filter((other) => other === name).length}`
  )
}

const matrix = (documents: ReadonlyArray<Document>, names: ReadonlyArray<string>): ReadonlyArray<string> => {
  const topics = [...new Set(documents.flatMap(({ cases }) => cases.map(({ topic }) => topic)))].toSorted()
  return [
    row(["", ...names.map(escaped)]),
    row(["---", ...names.map(() => "---:")]),
    ...topics.map((topic) =>
      row([topic, ...documents.map(({ cases }) => cell(cases.filter((one) => one.topic === topic)))])
    ),
    row(["all", ...documents.map(({ cases }) => cell(cases))])
  ]
}

const divergence = (
  { actual, again, case: id, expected, knownFailing, level, rule, walks }: Divergence
): ReadonlyArray<string> => [
  `- ${code(id)} (${level}, in ${walks} ${walks === 1 ? "walk" : "walks"}${
    knownFailing === undefined ? "" : `; known: ${escaped(knownFailing)}`
  }): ${escaped(rule.sentence)}`,
  `  Expected ${code(Telling.value(expected))}, got ${code(Telling.value(actual))}.`,
  `  ${rule.spec === null ? "" : `${code(`${rule.spec.file}:${rule.spec.line}`)} ${code(rule.operator!)}; `}${
    escaped(rule.source)
  }; again: ${code(again)}`
]

const section = ({ cases, divergences, leftOut, release, stopped }: Document, name: string): ReadonlyArray<string> => {
  const unexpected = cases.filter(({ knownFailing, status }) => knownFailing !== undefined && status === "passed")
  return [
    `## ${escaped(name)}`,
    "",
    ...(typeof release?.guess === "string" ? [`${escaped(release.guess)}.`, ""] : []),
    ...(stopped === null ? [] : [`Not all walks were taken: ${escaped(stopped)}`, ""]),
    ...leftOut.flatMap((part) => [`Not walked: ${code(part.name)}: ${escaped(part.reason)}.`, ""]),
    ...(divergences.length === 0 ? ["No divergences.", ""] : [...divergences.flatMap(divergence), ""]),
    ...unexpected.flatMap(({ id, knownFailing }) => [
      `- ${code(id)} is known to fail, and passes: ${escaped(knownFailing!)}`,
      ""
    ])
  ]
}

/** The text of a document; the targets in the order in which they are given. */
export const render = (documents: ReadonlyArray<Document>): string => {
  const names = namesOf(documents)
  return [
    "# Conformance",
    "",
    "Cases that passed / failed / were not judged, by what is asked.",
    "",
    ...matrix(documents, names),
    "",
    ...documents.flatMap((document, i) => section(document, names[i]!))
  ].join("\n")
}
