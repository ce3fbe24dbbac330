/**
 * What is done to logs, and where it is noticed: every field of every line is changed, and every line is lost, doubled, and
 * swapped with the next one.
 *
 * The right line is the first at which the changed log is no behaviour any more. An oracle says which: it follows the log
 * by all steps there are, with whole states, and knows nothing of the validator. What is still a behaviour must be one for a
 * reason, and the reason is proved.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as EventLog from "../../src/conformance/EventLog.ts"
import * as EventLogs from "../../src/conformance/EventLogs.ts"
import { driver as idempotent } from "../../src/conformance/idempotent/Driver.ts"
import { driver as readCommitted } from "../../src/conformance/readCommitted/Driver.ts"
import { driver as transactions } from "../../src/conformance/transactions/Driver.ts"
import * as Validation from "../../src/conformance/Validation.ts"
import type { AnyConfiguration, AnyModel, AnyWorld } from "../../src/model/Model.ts"
import { areSameArguments } from "../../src/model/Model.ts"
import * as Value from "../../src/tlc/Value.ts"
import { type Log, stored, walked } from "./eventLogs.ts"

type Line = EventLog.Line
type Lines = ReadonlyArray<Line>

interface Subject {
  readonly model: AnyModel
  readonly configuration: AnyConfiguration
}

// The oracle.

const isObserved = (
  { configuration, model }: Subject,
  { observed = {}, places = [] }: Line,
  world: AnyWorld
): boolean => {
  const state = model.encode(configuration, world)
  return Object.entries(observed).every(([name, value]) =>
    Object.hasOwn(state, name) && Value.equals(value, state[name]!)
  )
    && places.every(({ path, value }) => {
      const found = EventLog.valueAt(state, path)
      return found !== undefined && Value.equals(value, found)
    })
}

const after = (subject: Subject, line: Line, world: AnyWorld): ReadonlyArray<AnyWorld> =>
  subject.model.successors(subject.configuration, world).filter((step) =>
    step.action === line.action && areSameArguments(step.arguments, line.arguments)
    && isObserved(subject, line, step.world)
  ).map((step) => step.world)

type Worlds = ReadonlyArray<ReadonlyArray<AnyWorld>>

/**
 * The worlds that the log may lead to, before every line and at the end; shorter where it is no behaviour. Those of the
 * first lines may be known.
 */
const worldsOf = (subject: Subject, lines: Lines, known: Worlds = []): Worlds => {
  const found = known.length > 0 ? [...known] : [[subject.model.initial(subject.configuration)]]
  for (const line of lines.slice(found.length - 1)) {
    const next = found.at(-1)!.flatMap((world) => after(subject, line, world))
    if (next.length === 0) break
    found.push(next)
  }
  return found
}

/** The first line, from 1, at which this is no behaviour, if it is none. */
const brokenAt = (subject: Subject, lines: Lines, known: Worlds): number | undefined => {
  const worlds = worldsOf(subject, lines, known).length
  return worlds > lines.length ? undefined : worlds
}

// What is done.

const kinds = ["action", "argument", "variable", "place", "lost", "twice", "swapped"] as const
type Kind = typeof kinds[number]

interface Mutant {
  readonly kind: Kind
  /** The first line that is another, from 1. */
  readonly line: number
  readonly lines: Lines
}

/** Another value of the same kind. */
const flipped = (value: Value.Value): Value.Value => {
  switch (typeof value) {
    case "boolean":
      return !value
    case "number":
      return value + 1
    case "string":
      return `${value}x`
    default:
      break
  }
  if (value.kind === "model") return Value.model(`${value.name}x`)
  if (value.kind === "set") return Value.set(value.elements.length === 0 ? [0] : value.elements.slice(1))
  const [first, ...rest] = value.entries
  return Value.func(first === undefined ? [[1, 0]] : [[first[0], flipped(first[1])], ...rest])
}

const flippedArgument = (argument: string | number): string | number =>
  typeof argument === "number" ? argument + 1 : `${argument}x`

/** All mutants of a log, with so many other actions for each line. */
const mutantsOf = ({ model }: Subject, lines: Lines, otherActions: number): ReadonlyArray<Mutant> => {
  const found: Array<Mutant> = []
  lines.forEach((line, i) => {
    const { action, arguments: instance, observed = {}, places = [] } = line
    const add = (kind: Kind, changed: Lines, at = i): void => void found.push({ kind, line: at + 1, lines: changed })
    const others = model.actionNames.filter((name) => name !== action)
    for (let n = 0; n < Math.min(otherActions, others.length); n++) {
      add("action", lines.with(i, { ...line, action: others[(i * otherActions + n) % others.length]! }))
    }
    instance.forEach((argument, place) => {
      const others = new Set([
        flippedArgument(argument),
        ...lines.filter((one) => one.action === action).map((one) => one.arguments[place]!)
      ])
      others.delete(argument)
      for (const other of others) add("argument", lines.with(i, { ...line, arguments: instance.with(place, other) }))
    })
    for (const [name, value] of Object.entries(observed)) {
      add("variable", lines.with(i, { ...line, observed: { ...observed, [name]: flipped(value) } }))
    }
    places.forEach((place, at) =>
      add("place", lines.with(i, { ...line, places: places.with(at, { ...place, value: flipped(place.value) }) }))
    )
    add("lost", lines.toSpliced(i, 1))
    add("twice", lines.toSpliced(i + 1, 0, line), i + 1)
    const next = lines[i + 1]
    if (next !== undefined) add("swapped", lines.with(i, next).with(i + 1, line))
  })
  return found
}

// Why a changed log may still be a behaviour.

const isSameState = ({ configuration, model }: Subject, a: AnyWorld, b: AnyWorld): boolean => {
  const [left, right] = [a, b].map((world) => model.encode(configuration, world))
  return model.variables.every((name) => Value.equals(left![name]!, right![name]!))
}

const reasons = {
  "the line changes nothing": (subject, { line }, worlds) =>
    isSameState(subject, worlds[line - 1]![0]!, worlds[line]![0]!),
  "the line was the last": (_subject, { kind, line }, worlds) => kind === "lost" && line === worlds.length - 1,
  "the other line does what the line did": (subject, { kind, line, lines }, worlds) =>
    (kind === "action" || kind === "argument")
    && after(subject, lines[line - 1]!, worlds[line - 1]![0]!).some((world) =>
      isSameState(subject, world, worlds[line]![0]!)
    ),
  "the line changes nothing when it is taken again": (subject, { kind, line, lines }, worlds) =>
    kind === "twice"
    && after(subject, lines[line - 1]!, worlds[line - 1]![0]!).some((world) =>
      isSameState(subject, world, worlds[line - 1]![0]!)
    ),
  "the lines do the same in either order": (subject, { kind, line, lines }, worlds) =>
    kind === "swapped"
    && worldsOf(subject, lines.slice(0, line + 1), worlds.slice(0, line)).at(-1)!.some((world) =>
      isSameState(subject, world, worlds[line + 1]![0]!)
    )
} as const satisfies Record<
  string,
  (subject: Subject, mutant: Mutant, worlds: Worlds) => boolean
>

type Reason = keyof typeof reasons

/** Why what is done to a log may leave a behaviour. For a value that was observed there is no reason. */
const allowed: Readonly<Record<Kind, ReadonlyArray<Reason>>> = {
  action: ["the other line does what the line did"],
  argument: ["the other line does what the line did"],
  variable: [],
  place: [],
  lost: ["the line changes nothing", "the line was the last"],
  twice: ["the line changes nothing when it is taken again"],
  swapped: ["the lines do the same in either order"]
}

interface Swept {
  readonly mutants: ReadonlyMap<Kind, number>
  readonly rejected: number
  /** How many of these in the first line that is another. */
  readonly atOnce: number
  /** By kind and reason, how many are behaviours still. */
  readonly behaviours: ReadonlyMap<string, number>
}

const count = <A>(counts: Map<A, number>, key: A): void => void counts.set(key, (counts.get(key) ?? 0) + 1)

/** Judges all mutants of a log. Throws where the validator and the oracle do not agree, or no reason is allowed. */
const sweep = ({ header, lines }: Log, otherActions = Number.POSITIVE_INFINITY): Swept => {
  const { checked: subject } = Effect.runSync(EventLogs.subjectOf(header))
  const { configuration, model } = subject
  const worlds = worldsOf(subject, lines)
  assert.lengthOf(worlds, lines.length + 1, "the log itself is a behaviour")
  const mutants = new Map<Kind, number>()
  const behaviours = new Map<string, number>()
  let rejected = 0
  let atOnce = 0
  for (const mutant of mutantsOf(subject, lines, otherActions)) {
    const { kind, line } = mutant
    count(mutants, kind)
    const verdict = Validation.validate({ model, configuration }, mutant.lines)
    const expected = brokenAt(subject, mutant.lines, worlds.slice(0, line))
    const what = `${kind} of line ${line}: ${Validation.summarize(verdict)}`
    assert.strictEqual(verdict._tag === "Rejected" ? verdict.line : undefined, expected, what)
    if (expected !== undefined) {
      rejected++
      if (expected === line) atOnce++
      assert.isAtLeast(expected, line, what)
      if (kind === "variable" || kind === "place") assert.strictEqual(expected, line, what)
      continue
    }
    const reason = allowed[kind].find((name) => reasons[name](subject, mutant, worlds))
    if (reason === undefined) assert.fail(`still a behaviour, ${what}\n${JSON.stringify(lines[line - 1])}`)
    count(behaviours, `${kind}: ${reason}`)
  }
  return { mutants, rejected, atOnce, behaviours }
}

const total = (counts: ReadonlyMap<unknown, number>): number => [...counts.values()].reduce((sum, one) => sum + one, 0)

describe("a log with the whole state at every line, corrupted", () => {
  const logs: ReadonlyArray<readonly [name: string, log: () => Log]> = [
    ["of the idempotent producer", () => walked(idempotent, "base-small", 40, "state")],
    ["of readers", () => walked(readCommitted, "read-committed", 20, "state")],
    ["of transactions", () => walked(transactions, "transactions-version-2", 40, "state")]
  ]
  for (const [name, log] of logs) {
    it(`${name}, is rejected at the line that is another, unless that does the same`, () => {
      const { atOnce, behaviours, mutants, rejected } = sweep(log())

      assert.sameMembers([...mutants.keys()], kinds.filter((kind) => kind !== "place"))
      assert.strictEqual(atOnce, rejected)
      assert.strictEqual(rejected + total(behaviours), total(mutants))
      assert.isAbove(rejected, 0.98 * total(mutants))
    })
  }
})

describe("a log with the places that each line changes, corrupted", () => {
  const logs: ReadonlyArray<readonly [name: string, log: () => Log, otherActions?: number]> = [
    ["of the idempotent producer", () => walked(idempotent, "base-two-batches", 60, "changes")],
    ["of transactions", () => walked(transactions, "transactions-two-instances", 60, "changes")],
    ["of a history", () => stored("history-changes")!, 3]
  ]
  for (const [name, log, otherActions] of logs) {
    it(`${name}, is rejected where it is no behaviour any more, and is one for a reason`, () => {
      const { atOnce, behaviours, mutants, rejected } = sweep(log(), otherActions)

      assert.sameMembers([...mutants.keys()], [...kinds])
      assert.strictEqual(rejected + total(behaviours), total(mutants))
      assert.isAbove(rejected, 0.98 * total(mutants))
      assert.isAbove(atOnce, 0.95 * rejected)
    })
  }
})
