/**
 * What campaigns found, for people. Nothing here depends on how long anything took.
 */
import * as Campaigns from "../conformance/Campaigns.ts"
import type { Detected } from "../conformance/Detections.ts"
import type { Exhibit } from "../conformance/Specification.ts"
import * as Output from "./Output.ts"

/** What runs one scenario of a campaign again. */
export const againOf = (seed: number, part: string, path: string): string =>
  `npm run -s keos -- explore --seed ${seed} --path ${part}/${path}`

const indented = (text: string): ReadonlyArray<string> => text.split("\n").map((line) => `    ${line}`)

const violationsOf = (seed: number, { name, violations }: Campaigns.PartReport): ReadonlyArray<string> =>
  violations.flatMap(({ complaint, path, runs, scenario, sentence }) => [
    `${name}: ${complaint} in ${runs} runs; the smallest scenario found`,
    ...indented(scenario),
    ...indented(sentence),
    `    again: ${againOf(seed, name, path)}`
  ])

const shareOf = (share: Campaigns.Share): string => {
  const { all, met } = Campaigns.sizes(share)
  return met === all ? `all ${all}` : `${met} of ${all}`
}

const reachedOf = ({ actions, refusals, runs, specification, witnesses }: Campaigns.Reached): ReadonlyArray<string> => {
  const missed = [actions, refusals, witnesses].flatMap(Campaigns.missing)
  return [
    `${specification}: ${shareOf(actions)} actions taken, ${shareOf(witnesses)} witnesses reached`
    + (Campaigns.sizes(refusals).all === 0 ? "" : `, ${shareOf(refusals)} refusals met`)
    + ` in ${Output.count(runs)} runs`,
    ...(missed.length === 0 ? [] : [`  not reached: ${missed.join(", ")}`])
  ]
}

/** The refusals and witnesses that the fewest runs reached. */
const rarest = ({ refusals, specification, witnesses }: Campaigns.Reached): ReadonlyArray<string> => {
  const rare = Object.entries({ ...refusals.met, ...witnesses.met })
    .filter(([, runs]) => runs > 0)
    .toSorted(([, a], [, b]) => a - b)
    .slice(0, 5)
  return rare.length === 0 ? [] : [
    `${specification}: reached in fewest runs: ${
      rare.map(([name, runs]) => `${name} in ${Output.count(runs)}`).join(", ")
    }`
  ]
}

const total = (parts: ReadonlyArray<Campaigns.PartReport>, of: (part: Campaigns.PartReport) => number): number =>
  parts.reduce((sum, part) => sum + of(part), 0)

/** Calls of clients in the whole campaign. */
export const callsOf = ({ parts }: Campaigns.Report): number => total(parts, ({ calls }) => calls)

export const campaign = (report: Campaigns.Report): ReadonlyArray<string> => {
  const { parts, reached, seed, trace } = report
  const violations = (part: Campaigns.PartReport): number => part.violations.reduce((sum, { runs }) => sum + runs, 0)
  return [
    ...Output.table([
      ["configuration", "runs", "client operations", "records", "situations", "violations"],
      ...parts.map((part) => [
        part.name,
        Output.count(part.runs),
        Output.count(part.calls),
        Output.count(part.operations),
        Output.count(part.situations),
        Output.count(violations(part))
      ]),
      [
        `seed ${seed}`,
        Output.count(total(parts, ({ runs }) => runs)),
        Output.count(callsOf(report)),
        Output.count(total(parts, ({ operations }) => operations)),
        "",
        Output.count(total(parts, violations))
      ]
    ], ["left", "right", "right", "right", "right", "right"]),
    "",
    ...reached.flatMap(reachedOf),
    ...reached.flatMap(rarest),
    `trace ${trace}`,
    ...parts.flatMap((part) => violationsOf(seed, part))
  ]
}

const times = (found: Detected["found"]): string =>
  found.map((one) => one === undefined ? "–" : String(one.run)).join(" ")

/** By what and as what a bug was seen, the most frequent first. */
const seenAs = (found: Detected["found"]): string => {
  const ways = found.flatMap((one) => one === undefined ? [] : [`${one.by}: ${one.property}`])
  return [...new Set(ways)].toSorted((a, b) =>
    ways.filter((way) => way === b).length - ways.filter((way) => way === a).length
  ).join(", ")
}

export const detections = (
  detected: ReadonlyArray<Detected>,
  exhibits: ReadonlyArray<Exhibit>
): ReadonlyArray<string> =>
  Output.table([
    ["exhibit", "violates", "median", "runs to the first detection", "seen by"],
    ...detected.map(({ exhibit, found, median }) => [
      exhibit,
      exhibits.find(({ name }) => name === exhibit)!.property,
      median === undefined ? "missed" : Output.count(median),
      times(found),
      seenAs(found)
    ])
  ], ["left", "left", "right", "left", "left"])
