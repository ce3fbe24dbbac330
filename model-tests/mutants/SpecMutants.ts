/**
 * Every condition of the specification's actions, taken away one at a time.
 *
 * A conjunct gives way to TRUE, a disjunct to FALSE, a test of IF to each of the two, an element of a set of names is
 * left out. Mutated is what `Next` reaches; the initial state, fairness and the properties are left alone. Updates
 * (primed variables, UNCHANGED) are not conditions; a fault that an action takes is one, and becomes free.
 */
import type { Change, Mutant } from "./Mutant.ts"
import * as Mutants from "./Mutant.ts"
import type { Definition, Node } from "./TlaSyntax.ts"
import * as Tla from "./TlaSyntax.ts"

type Value = "TRUE" | "FALSE"

const both: ReadonlyArray<Value> = ["TRUE", "FALSE"]
const relations = new Set(["=", "#", "<", ">", "<=", ">=", "\\in", "\\notin", "\\subseteq"])

/** The definitions that `root` uses, itself included. */
const reachable = (all: ReadonlyMap<string, Definition>, root: string): ReadonlySet<string> => {
  const found = new Set([root])
  for (const name of found) {
    for (const word of all.get(name)?.words ?? []) if (all.has(word)) found.add(word)
  }
  return found
}

/** The definitions that say something of the next state, themselves or through others. */
const actions = (all: ReadonlyMap<string, Definition>): ReadonlySet<string> => {
  const found = new Set([...all.values()].filter(({ primed }) => primed).map(({ name }) => name))
  for (let before = -1; before < found.size;) {
    before = found.size
    for (const { name, words } of all.values()) if ([...words].some((word) => found.has(word))) found.add(name)
  }
  return found
}

interface Scope {
  readonly owner: string
  readonly text: string
  readonly actions: ReadonlySet<string>
  readonly found: Array<Change>
}

const wordsOf = ({ text }: Scope, node: Node): ReadonlyArray<string> =>
  text.slice(node.start, node.end).match(/[A-Za-z_]\w*|'/g) ?? []

const isAction = (scope: Scope, node: Node): boolean =>
  wordsOf(scope, node).some((word) => word === "'" || word === "UNCHANGED" || scope.actions.has(word))

const isBoolean = (node: Node): boolean =>
  node.kind === "not" || node.kind === "quantifier" || node.kind === "implies"
  || (node.kind === "term" && node.operators.some((operator) => relations.has(operator)))

/** Replaces a condition by the values in turn, unless it is one of them or that was done around it. */
const replace = (scope: Scope, node: Node, values: ReadonlyArray<Value>, done: ReadonlyArray<Value>): void => {
  if (isAction(scope, node)) return
  const is = scope.text.slice(node.start, node.end)
  for (const value of values) {
    if (value === is || done.includes(value)) continue
    scope.found.push({ owner: scope.owner, start: node.start, end: node.end, replacement: value })
  }
}

/** An expression as a value: it may be a condition without standing in one. */
const value = (scope: Scope, node: Node): void => {
  if (isBoolean(node)) replace(scope, node, both, [])
  within(scope, node, isBoolean(node) ? both : [])
}

/** A condition; `done` are the values that were put in its place already. */
const condition = (scope: Scope, node: Node, values: ReadonlyArray<Value>, done: ReadonlyArray<Value> = []): void => {
  replace(scope, node, values, done)
  within(scope, node, [...done, ...values])
}

const isFault = (scope: Scope, node: Node): boolean => /^Fault\(.*\)$/.test(scope.text.slice(node.start, node.end))

/** What is inside a node that has been seen to. */
const within = (scope: Scope, node: Node, done: ReadonlyArray<Value>): void => {
  switch (node.kind) {
    case "and":
    case "or":
      for (const item of node.items) {
        if (isFault(scope, item) && node.kind === "and") {
          scope.found.push({ owner: scope.owner, start: item.start, end: item.end, replacement: "UNCHANGED faults" })
        } else if (node.kind === "or" && isAction(scope, item)) {
          scope.found.push({ owner: scope.owner, start: item.start, end: item.end, replacement: "FALSE" })
          within(scope, item, ["FALSE"])
        } else {
          condition(scope, item, [node.kind === "and" ? "TRUE" : "FALSE"])
        }
      }
      return
    case "implies":
      condition(scope, node.left, ["TRUE"])
      condition(scope, node.right, ["FALSE"], done.includes("TRUE") ? ["TRUE"] : [])
      return
    case "not":
      within(scope, node.body, done.map((is) => is === "TRUE" ? "FALSE" : "TRUE"))
      return
    case "quantifier":
      node.domains.forEach((domain) => value(scope, domain))
      condition(scope, node.body, [node.every ? "TRUE" : "FALSE"], done)
      return
    case "filter":
      node.domains.forEach((domain) => value(scope, domain))
      // The parts of a composed filter say more than the whole.
      if (node.body.kind === "and" || node.body.kind === "or") within(scope, node.body, [])
      else condition(scope, node.body, node.choose ? ["TRUE"] : both)
      return
    case "if":
      condition(scope, node.test, both)
      value(scope, node.consequent)
      value(scope, node.alternate)
      return
    case "case":
      for (const arm of node.arms) {
        if (arm.test !== undefined) condition(scope, arm.test, ["FALSE"])
        value(scope, arm.value)
      }
      return
    case "let":
      for (const { body } of node.definitions) value(scope, body)
      value(scope, node.body)
      return
    case "term":
      for (const literal of node.literals) leaveOut(scope, literal)
      if (node.wrapped !== undefined) within(scope, node.wrapped, done)
      else node.children.forEach((child) => value(scope, child))
  }
}

const leaveOut = ({ found, owner, text }: Scope, literal: { readonly start: number; readonly end: number }): void => {
  const name = text.slice(literal.start, literal.end)
  found.push({ ...literal, owner, replacement: "\"(left out)\"", shown: `without ${name}` })
}

/** The mutants of a module; `others` are modules that it extends or that extend it. */
export const of = (module: string, others: ReadonlyArray<string> = []): ReadonlyArray<Mutant> => {
  const text = Tla.blankComments(module)
  const own = Tla.definitions(module)
  const all = new Map([...others.flatMap(Tla.definitions), ...own].map((definition) => [definition.name, definition]))
  if (!all.has("Next")) throw new Tla.TlaSyntaxError("no module has a Next")
  const reached = reachable(all, "Next")
  const actionNames = actions(all)
  const changes = own.filter(({ name }) => reached.has(name)).flatMap(({ body, name }) => {
    const scope: Scope = { owner: name, text, actions: actionNames, found: [] }
    value(scope, body())
    return scope.found
  })
  return Mutants.apply(module, changes)
}
