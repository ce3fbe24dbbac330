/**
 * What came of judging a target, for people.
 */
import type { Divergence, Document, Exchange } from "../conformance/conform/Report.ts"
import * as Telling from "../conformance/conform/Telling.ts"
import * as Output from "./Output.ts"

const heading = ({ extent, profile, release, target }: Document): ReadonlyArray<string> => [
  release === null
    ? `${target.name}: a release that is not known`
    : [
      `${target.name}: by the rules of Apache Kafka ${release.line} (${profile})`,
      `transaction.version ${release.transactionVersion}`,
      `${extent === "quick" ? "quick" : "all"} walks`
    ].join("; "),
  ...(typeof release?.guess === "string" ? [release.guess] : [])
]

const parts = ({ leftOut, parts: all }: Document): ReadonlyArray<string> =>
  all.length === 0 ? [] : [
    "",
    ...Output.table([
      ["part", "changes", "states", "edges", "walks", "taken"],
      ...all.map(({ budget, edges, name, states, taken, walks }) => [
        name,
        Output.count(budget),
        Output.count(states),
        Output.count(edges),
        Output.count(walks),
        Output.count(taken)
      ])
    ], ["left", "right", "right", "right", "right", "right"]),
    ...leftOut.map(({ name, reason }) => `not walked: ${name}, because ${reason}`)
  ]

const topics = ({ cases, topics: all, totals }: Document): ReadonlyArray<string> =>
  all.length === 0 ? [] : [
    "",
    ...Output.table([
      ["topic", "cases", "walks", "answers", "divergences", "cases not judged"],
      ...all.map(({ cases: number, compared, diverged, topic, walks }) => [
        topic,
        Output.count(number),
        Output.count(walks),
        Output.count(compared),
        Output.count(diverged),
        Output.count(cases.filter((one) => one.topic === topic && one.status === "not judged").length)
      ]),
      [
        "total",
        Output.count(totals.cases),
        Output.count(totals.taken),
        Output.count(totals.compared),
        Output.count(totals.diverged),
        Output.count(totals.notJudged)
      ]
    ], ["left", "right", "right", "right", "right", "right"])
  ]

/** Topics that ask for an account of what was done before. */
export const isLook = (topic: string): boolean => /^(?:Fetch|Describe|OffsetFetch)/.test(topic)

/**
 * The requests of a walk: those that change something, how many others there were, and all of them since the last change
 * where one of them may have changed something that it should not. What the last one was answered is left out, unless it
 * is right.
 */
export const requests = (
  all: ReadonlyArray<Exchange>,
  topic: string,
  isRight = false
): ReadonlyArray<string> => {
  const lastChange = all.findLastIndex(({ changes }) => changes)
  const lines: Array<string> = []
  const width = String(all.length).length
  let quiet = 0
  const tellQuiet = (): void => {
    if (quiet > 0) {
      lines.push(
        `${" ".repeat(width)}  ${quiet} ${quiet === 1 ? "request that changes" : "requests that change"} nothing`
      )
    }
    quiet = 0
  }
  for (const [i, { answer, changes, request }] of all.entries()) {
    const isLast = i === all.length - 1
    const isSuspect = isLook(topic) && !isRight && i > lastChange
    if (!changes && !isSuspect && !(isLast && !isLook(topic))) {
      quiet++
      continue
    }
    tellQuiet()
    const number = String(i + 1).padStart(width)
    lines.push(`${number}  ${request}${isLast && !isLook(topic) && !isRight ? "" : `: ${answer}`}`)
  }
  tellQuiet()
  return lines
}

/** How many divergences are told in full; all are in the document. */
const toldInFull = 20

const briefly = ({ actual, again, case: id, expected, level, walks }: Divergence): string =>
  `✘ ${id} (${level}, in ${walks} walks): expected ${Telling.value(expected)}, actual ${
    Telling.value(actual)
  }; ${again}`

const divergence = (one: Divergence): ReadonlyArray<string> => {
  const { actual, again, case: id, epoch, expected, level, rule, walk, walks } = one
  const spec = rule.spec === null ? [] : [`${rule.spec.file}:${rule.spec.line} ${rule.operator}`]
  const where = walk === null ? [] : [
    `walk ${walk.part}/${walk.number}${walks === 1 ? "" : `, and ${walks - 1} more`}:`,
    ...(epoch === null ? [] : [`  every producer is brought to epoch ${epoch} first`]),
    ...requests(one.requests, one.topic).map((line) => `  ${line}`)
  ]
  return [
    `✘ ${id} (${level})`,
    ...[
      rule.sentence,
      [...spec, rule.source].join("; "),
      ...where,
      `expected  ${Telling.value(expected)}`,
      `actual    ${Telling.value(actual)}`,
      `again: ${again}`
    ].map((line) => `    ${line}`)
  ]
}

const listed = (all: ReadonlyArray<string>): string => all.join("; ")

/** The lines of a report. */
export const render = (document: Document): ReadonlyArray<string> => {
  const { cases, divergences, seconds, stopped, totals } = document
  const unexplained = divergences.filter(({ knownFailing }) => knownFailing === undefined)
  const unexpected = cases.filter(({ knownFailing, status }) => knownFailing !== undefined && status === "passed")
  const known = cases.filter(({ knownFailing, status }) => knownFailing !== undefined && status === "failed")
  const notJudged = cases.filter(({ status }) => status === "not judged")
  return [
    ...heading(document),
    ...parts(document),
    ...topics(document),
    "",
    ...unexplained.slice(0, toldInFull).flatMap(divergence),
    ...unexplained.slice(toldInFull).map(briefly),
    ...unexpected.map(({ id, knownFailing }) => `✘ ${id} is known to fail, and passes: ${knownFailing}`),
    ...(known.length === 0
      ? []
      : [`known failing: ${listed(known.map(({ id, knownFailing }) => `${id} (${knownFailing})`))}`]),
    ...(notJudged.length === 0
      ? []
      : [
        `not judged, because ${
          stopped === null ? "an earlier answer in their walks was wrong" : "not all walks were taken to their end"
        }: ${listed(notJudged.map(({ id }) => id))}`
      ]),
    ...(stopped === null ? [] : [`not all walks were taken: ${stopped}`]),
    [
      `${totals.passed} passed`,
      `${totals.failed + totals.unexpectedlyPassed} failed`,
      `${totals.notJudged} not judged`,
      ...(totals.knownFailing === 0 ? [] : [`${totals.knownFailing} known failing`])
    ].join(", ")
    + `; ${Output.count(totals.taken)} walks and ${Output.count(totals.compared)} answers in ${
      Output.seconds(seconds)
    } s`
  ]
}
