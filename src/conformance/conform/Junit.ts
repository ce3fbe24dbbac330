/**
 * A report as CI systems read it: the XML of JUnit, a suite for each topic, a test for each case.
 */
import type { Case, Divergence, Document } from "./Report.ts"
import * as Telling from "./Telling.ts"

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;" }

/** Characters that XML 1.0 cannot have in any form. */
// oxlint-disable-next-line no-control-regex
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g

const escaped = (text: string): string =>
  text.replaceAll(forbidden, "\ufffd").replaceAll(/[&<>"]/g, (character) => entities[character]!)

const failure = (message: string, text = ""): string =>
  `<failure message="${escaped(message)}">${escaped(text)}</failure>`

const skipped = (message: string): string => `<skipped message="${escaped(message)}"/>`

const textOf = ({ actual, again, expected, rule }: Divergence): string =>
  [
    rule.sentence,
    ...(rule.spec === null ? [] : [`${rule.spec.file}:${rule.spec.line} ${rule.operator}`]),
    rule.source,
    `expected ${Telling.value(expected)}`,
    `actual   ${Telling.value(actual)}`,
    `again: ${again}`
  ].join("\n")

const outcomeOf = ({ id, knownFailing, status }: Case, { divergences, stopped }: Document): string => {
  switch (status) {
    case "not judged":
      return skipped(`not judged: ${stopped ?? "an earlier answer in its walks was wrong"}`)
    case "passed":
      return knownFailing === undefined ? "" : failure(`it is known to fail, and passes: ${knownFailing}`)
    case "failed":
      return knownFailing === undefined
        ? divergences.filter((one) => one.case === id).map((one) =>
          failure(`${one.level}: ${one.rule.sentence}`, textOf(one))
        ).join("")
        : skipped(`known failing: ${knownFailing}`)
  }
}

const occurrences = (text: string, part: string): number => text.split(part).length - 1

/** The text of a file. */
export const render = (document: Document): string => {
  const { cases, seconds, target } = document
  const suites = Array.from(Map.groupBy(cases, ({ topic }) => topic), ([topic, all]) => {
    const tests = all.map((one) =>
      `<testcase classname="${escaped(topic)}" name="${escaped(one.id)}">${outcomeOf(one, document)}</testcase>`
    )
    const text = tests.join("\n    ")
    const failures = tests.filter((test) => test.includes("<failure")).length
    return `  <testsuite name="${escaped(topic)}" tests="${all.length}" failures="${failures}" skipped="${
      occurrences(text, "<skipped")
    }">\n    ${text}\n  </testsuite>`
  })
  return [
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
    `<testsuites name="${escaped(`keos conform ${target.name}`)}" time="${seconds.toFixed(3)}">`,
    ...suites,
    "</testsuites>",
    ""
  ].join("\n")
}
