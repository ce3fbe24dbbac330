/**
 * The guard-deletion sweep: takes every condition of the specification and of the code away, one at a time, and demands
 * that the comparison of the two finds out.
 *
 *     npm run -s guards -- [spec|core] [--specification NAME] [--json] [--only NAME]... [--jobs N]
 *
 * A mutant passes when it is killed, or when it is listed in `equivalent.json` and survives. Exit: 0 all pass, 1 some do
 * not, 2 wrong usage, 3 no verdict.
 */
import { Effect, Result } from "effect"
import * as path from "node:path"
import { parseArgs } from "node:util"
import { Toolchain } from "../../src/tlc/index.ts"
import * as CoreJudge from "./CoreJudge.ts"
import * as Graphs from "./Graphs.ts"
import type { Mutant } from "./Mutant.ts"
import type { Answer, Reference } from "./Replaying.ts"
import * as SpecJudge from "./SpecJudge.ts"
import type { Subject } from "./Subject.ts"
import { subjects } from "./Subjects.ts"
import type { Side, Target } from "./Targets.ts"
import * as Targets from "./Targets.ts"
import * as Tlc from "./Tlc.ts"

type Status = "killed" | "equivalent" | "survived" | "listed but killed" | "listed but not there" | "skipped"

interface Judged {
  readonly file: string
  readonly name: string
  readonly owner: string
  readonly line: number
  readonly status: Status
  /** The configuration that killed it, and what it said. */
  readonly configuration?: string
  readonly how?: string
  /** Why it is equivalent, where that is listed; or why it was skipped. */
  readonly reason?: string
  readonly millis: number
}

const isPassed = ({ status }: Judged): boolean => status === "killed" || status === "equivalent"
const isFailed = (judged: Judged): boolean => !isPassed(judged) && judged.status !== "skipped"

const usage = "usage: npm run -s guards -- [spec|core] [--specification NAME] [--json] [--only NAME]... [--jobs N]"

interface Arguments {
  readonly subjects: ReadonlyArray<Subject>
  readonly sides: ReadonlyArray<Side>
  readonly json: boolean
  /** Parts of the names of mutants; all, if empty. */
  readonly only: ReadonlyArray<string>
  /** How many TLCs may run at a time. */
  readonly jobs: number
}

const readArguments = (): Arguments | string => {
  try {
    const { positionals, values } = parseArgs({
      allowPositionals: true,
      options: {
        json: { type: "boolean", default: false },
        specification: { type: "string" },
        only: { type: "string", multiple: true, default: [] },
        jobs: { type: "string", default: "2" }
      }
    })
    const jobs = Number(values.jobs)
    if (!Number.isInteger(jobs) || jobs < 1) return usage
    const [side, ...more] = positionals
    if (more.length > 0 || (side !== undefined && side !== "spec" && side !== "core")) return usage
    const chosen = subjects.filter(({ specification }) => (values.specification ?? specification) === specification)
    if (chosen.length === 0) return `there is no sweep of ${values.specification}\n${usage}`
    return {
      subjects: chosen,
      sides: side === undefined ? ["core", "spec"] : [side],
      json: values.json,
      only: values.only,
      jobs
    }
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n${usage}`
  }
}

const say = (line: string): void => void process.stderr.write(`${line}\n`)

/** `done/expected`, on one line of a terminal, now and then elsewhere. */
const makeProgress = (expected: number): (name: string) => void => {
  const every = process.stderr.isTTY ? 1 : 25
  const width = process.stderr.columns ?? 80
  let done = 0
  return (name) => {
    done++
    if (done % every !== 0 && done !== expected) return
    const line = `guards: ${done}/${expected} ${name}`
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${line.slice(0, width - 1)}`)
    else say(line)
  }
}

/** Reasons of the listed mutants, by file and name. */
type Reasons = ReadonlyMap<string, string>

/** The sweep cannot judge anything. */
class NoVerdict extends Error {}

const reasonKey = (file: string, name: string): string => `${file}\n${name}`

/** Holds a mutant ready for judgement for the time of `use`. */
type WithMutant = (mutant: Mutant, use: (ask: CoreJudge.Ask) => Promise<Judged>) => Promise<Judged>

/** Judges the mutants of a file, `jobs` at a time. */
const judgeTarget = async (
  { configurations }: Subject,
  target: Target,
  reasons: Reasons,
  jobs: number,
  withMutant: WithMutant,
  onJudged: (judged: Judged) => void
): Promise<void> => {
  const kills = new Map<string, number>()
  const killsOf = (owner: string, configuration: string): number => kills.get(`${owner}\n${configuration}`) ?? 0

  const judgeOne = async ({ line, name, owner }: Mutant, ask: CoreJudge.Ask): Promise<Judged> => {
    const start = performance.now()
    const reason = reasons.get(reasonKey(target.file, name))
    const judged = (status: Status, more: Partial<Judged> = {}): Judged => ({
      file: target.file,
      name,
      owner,
      line,
      status,
      millis: Math.round(performance.now() - start),
      ...more
    })
    // What killed other mutants of the same definition is asked first; otherwise the cheapest.
    const order = configurations.map((configuration) => configuration.name)
      .toSorted((a, b) => killsOf(owner, b) - killsOf(owner, a))
    for (const configuration of order) {
      const how: Answer = await ask(configuration)
      if (how === undefined) continue
      kills.set(`${owner}\n${configuration}`, killsOf(owner, configuration) + 1)
      return judged(reason === undefined ? "killed" : "listed but killed", { configuration, how })
    }
    return reason === undefined ? judged("survived") : judged("equivalent", { reason })
  }

  const waiting = target.mutants.values()
  const work = async (): Promise<void> => {
    for (const mutant of waiting) onJudged(await withMutant(mutant, (ask) => judgeOne(mutant, ask)))
  }
  await Promise.all(Array.from({ length: jobs }, work))
}

const count = (judged: ReadonlyArray<Judged>, ...statuses: ReadonlyArray<Status>): number =>
  judged.filter(({ status }) => statuses.includes(status)).length

const table = (judged: ReadonlyArray<Judged>): ReadonlyArray<string> => {
  const owners = Map.groupBy(judged, ({ file, owner }) => `${path.basename(file)} ${owner}`)
  const width = Math.max(10, ...Array.from(owners.keys(), (owner) => owner.length))
  const row = (owner: string, ...cells: ReadonlyArray<string | number>): string =>
    owner.padEnd(width) + cells.map((cell) => String(cell).padStart(12)).join("")
  return [
    row("", "mutants", "killed", "equivalent", "survived"),
    ...Array.from(owners, ([owner, of]) =>
      row(
        owner,
        of.length,
        count(of, "killed", "listed but killed"),
        count(of, "equivalent"),
        count(of, "survived", "listed but not there")
      )),
    "",
    ...judged.filter(({ status }) => status === "equivalent").flatMap(({ file, line, name, reason }) => [
      `equivalent  ${file}:${line}  ${name}`,
      `            ${reason}`
    ]),
    ...judged.filter(isFailed).flatMap(({ configuration, file, how, line, name, status }) => [
      `FAILED      ${file}:${line}  ${name}`,
      `            ${status}${configuration === undefined ? "" : ` in ${configuration}: ${how}`}`
    ]),
    ""
  ]
}

const skip = (targets: ReadonlyArray<Target>, reason: string): ReadonlyArray<Judged> =>
  targets.flatMap(({ file, mutants }) =>
    mutants.map(({ line, name, owner }) => ({ file, name, owner, line, status: "skipped", reason, millis: 0 }))
  )

const selectedTargets = ({ only, sides }: Arguments, subject: Subject): ReadonlyArray<Target> =>
  sides.flatMap((side) => side === "spec" ? Targets.spec(subject) : Targets.core(subject)).map((target) => ({
    ...target,
    mutants: target.mutants.filter(({ name }) => only.length === 0 || only.some((part) => name.includes(part)))
  }))

/** TLC, or why it cannot be had. */
const locate = async (): Promise<Tlc.Tool | string> => {
  const toolchain = await Effect.runPromise(Effect.result(Toolchain.locate()))
  if (Result.isFailure(toolchain)) return `TLC is missing: ${toolchain.failure.message}`
  if (!toolchain.success.compiler) return "the graph writer needs a Java with a compiler (JDK)"
  return Tlc.compile(toolchain.success)
}

/** The reference graphs, or why there are none. */
const references = async (tool: Tlc.Tool | string, subject: Subject): Promise<ReadonlyArray<Reference> | string> => {
  const found: Array<Reference> = []
  for (const configuration of subject.configurations) {
    const kept = Graphs.kept(subject, configuration)
    if (kept === undefined) {
      if (typeof tool === "string") return `the graph of ${configuration.name} is not current, and ${tool}`
      say(`guards: TLC makes the graph of ${configuration.name}`)
      found.push(await Graphs.make(tool, subject, configuration))
    } else {
      found.push(kept)
    }
  }
  return found
}

/** What is wrong with the code as it is, if anything; then no mutant could be judged. */
const control = (judge: CoreJudge.CoreJudge, { configurations }: Subject): Promise<string | undefined> =>
  judge.withMutant(undefined, async (ask) => {
    for (const { name } of configurations) {
      const how = await ask(name)
      if (how !== undefined) return `${name}: ${how}`
    }
    return undefined
  })

const judgeCore = async (
  subject: Subject,
  targets: ReadonlyArray<Target>,
  graphs: ReadonlyArray<Reference>,
  reasons: Reasons,
  onJudged: (judged: Judged) => void
): Promise<void> => {
  const judge = CoreJudge.make(graphs)
  try {
    const broken = await control(judge, subject)
    if (broken !== undefined) throw new NoVerdict(`without any mutant, ${broken}`)
    for (const target of targets) {
      const file = path.relative("src", target.file)
      await judgeTarget(subject, target, reasons, 1, ({ text }, use) => judge.withMutant({ file, text }, use), onJudged)
    }
  } finally {
    await judge.close()
  }
}

const judgeSpec = async (
  subject: Subject,
  target: Target,
  jobs: number,
  tool: Tlc.Tool,
  graphs: ReadonlyArray<Reference>,
  reasons: Reasons,
  onJudged: (judged: Judged) => void
): Promise<void> => {
  const sizes = new Map(graphs.map(({ graph, name }) => [name, SpecJudge.size(graph)]))
  const ask = ({ text }: Mutant): CoreJudge.Ask => (name) =>
    SpecJudge.ask({
      tool,
      subject,
      configuration: subject.configurations.find((configuration) => configuration.name === name)!,
      states: sizes.get(name)!,
      mutated: { [path.basename(target.file, ".tla")]: text }
    })
  await judgeTarget(subject, target, reasons, jobs, (mutant, use) => use(ask(mutant)), onJudged)
}

/** What is listed although no mutant has that name. */
const strays = (
  targets: ReadonlyArray<Target>,
  listed: ReadonlyArray<Targets.Equivalent>
): ReadonlyArray<Judged> =>
  listed.flatMap(({ file, name, reason }) => {
    const target = targets.find((candidate) => candidate.file === file)
    if (target === undefined || target.mutants.some((mutant) => mutant.name === name)) return []
    return [{ file, name, owner: "equivalent.json", line: 1, status: "listed but not there", reason, millis: 0 }]
  })

const judgeSweep = async (
  jobs: number,
  tool: Tlc.Tool | string,
  subject: Subject,
  targets: ReadonlyArray<Target>,
  reasons: Reasons
): Promise<ReadonlyArray<Judged>> => {
  const graphs = await references(tool, subject)
  if (typeof graphs === "string") return skip(targets, graphs)
  const judged: Array<Judged> = []
  const progress = makeProgress(targets.reduce((sum, { mutants }) => sum + mutants.length, 0))
  const onJudged = (one: Judged): void => {
    judged.push(one)
    progress(one.name)
    // A sweep takes hours: what is wrong is said when it is found.
    if (isFailed(one)) say(`guards: ${one.status}: ${one.file}:${one.line} ${one.name}`)
  }
  const [spec, core] = [targets.filter(({ side }) => side === "spec"), targets.filter(({ side }) => side === "core")]
  if (core.length > 0) await judgeCore(subject, core, graphs, reasons, onJudged)
  for (const target of spec) {
    if (typeof tool === "string") judged.push(...skip([target], tool))
    else await judgeSpec(subject, target, jobs, tool, graphs, reasons, onJudged)
  }
  if (process.stderr.isTTY) process.stderr.write("\n")
  const files = targets.map(({ file }) => file)
  return judged.toSorted((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line)
}

const report = (judged: ReadonlyArray<Judged>, json: boolean): number => {
  const totals = {
    passed: judged.filter(isPassed).length,
    failed: judged.filter(isFailed).length,
    skipped: count(judged, "skipped")
  }
  if (json) {
    console.log(JSON.stringify({ schemaVersion: 1, ...totals, mutants: judged }, undefined, 2))
  } else {
    for (const line of table(judged)) console.log(line)
    console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
  }
  const skipped = judged.find(({ status }) => status === "skipped")
  if (skipped !== undefined) say(`guards: ${skipped.reason}`)
  if (totals.failed > 0) return 1
  return judged.length === 0 || totals.skipped > 0 ? 3 : 0
}

const main = async (): Promise<number> => {
  const read = readArguments()
  if (typeof read === "string") {
    say(read)
    return 2
  }
  const targets = new Map(read.subjects.map((subject) => [subject, selectedTargets(read, subject)]))
  const listed = Targets.equivalents()
  const reasons: Reasons = new Map(listed.map(({ file, name, reason }) => [reasonKey(file, name), reason]))
  const tool = await locate()
  try {
    const judged: Array<Judged> = []
    for (const [subject, of] of targets) judged.push(...await judgeSweep(read.jobs, tool, subject, of, reasons))
    if (judged.length === 0) say(`guards: no mutant is called ${read.only.join(" or ")}`)
    return report(
      [...judged, ...(read.only.length === 0 ? strays([...targets.values()].flat(), listed) : [])],
      read.json
    )
  } catch (error) {
    say(`guards: ${error instanceof Error ? error.message : String(error)}`)
    return 3
  } finally {
    if (typeof tool !== "string") Tlc.remove(tool)
  }
}

process.exitCode = await main()
