/**
 * Every condition of the code, answered without being asked, one at a time.
 *
 * Tests of `if`, `while`, `for` and `?:`, operands of `&&` and `||`, comparisons, and the predicates given to `every`,
 * `some`, `filter`, `find` and `findIndex` become `true` and `false`; a case of a `switch` is left out. Values, updates
 * and `??` are left alone.
 */
import { parseSync } from "oxc-parser"
import type { Change, Mutant } from "./Mutant.ts"
import * as Mutants from "./Mutant.ts"

/** A node as the parser gives it; which fields it has depends on its type. */
interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [field: string]: unknown
}

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && typeof (value as Partial<Node>).type === "string"

const childrenOf = (node: Node): ReadonlyArray<Node> =>
  Object.values(node).flatMap((value) => Array.isArray(value) ? value : [value]).filter(isNode)

const comparisons = new Set(["===", "!==", "<", "<=", ">", ">="])
const predicates = new Set(["every", "some", "filter", "find", "findIndex"])

/** The name that a node gives to what is inside it. */
const nameOf = (node: Node): string | undefined => {
  const named = node.type === "VariableDeclarator" ? node["id"] : node.type === "Property" ? node["key"] : undefined
  const inside = node["init"] ?? node["value"]
  if (!isNode(named) || !isNode(inside)) return undefined
  const isHolder = inside.type === "ArrowFunctionExpression" || inside.type === "CallExpression"
    || inside.type === "ObjectExpression"
  return isHolder && typeof named["name"] === "string" ? named["name"] : undefined
}

/** The mutants of a module called `name`. */
export const of = (name: string, text: string): ReadonlyArray<Mutant> => {
  const { errors, program } = parseSync(`${name}.ts`, text)
  if (errors.length > 0) throw new Error(`${name}.ts: ${errors[0]!.message}`)
  const changes: Array<Change> = []

  const answer = (owner: string, condition: unknown, ...answers: ReadonlyArray<boolean>): void => {
    if (!isNode(condition)) return
    for (const is of answers) {
      changes.push({ owner, start: condition.start, end: condition.end, replacement: String(is) })
    }
  }

  const visit = (node: Node, owner: string): void => {
    switch (node.type) {
      case "IfStatement":
      case "WhileStatement":
      case "ForStatement":
      case "ConditionalExpression":
        answer(owner, node["test"], true, false)
        break
      case "LogicalExpression":
        if (node["operator"] === "??") break
        answer(owner, node["left"], node["operator"] === "&&")
        answer(owner, node["right"], node["operator"] === "&&")
        break
      case "BinaryExpression":
        if (comparisons.has(String(node["operator"]))) answer(owner, node, true, false)
        break
      case "CallExpression": {
        const callee = node["callee"] as Node
        const method = isNode(callee["property"]) ? String(callee["property"]["name"]) : ""
        const [predicate] = node["arguments"] as ReadonlyArray<Node>
        if (predicates.has(method) && predicate?.type === "ArrowFunctionExpression") {
          answer(owner, predicate["body"], true, false)
        }
        break
      }
      case "SwitchCase": {
        const test = node["test"]
        if (!isNode(test)) break
        const { end, start } = test
        changes.push({ owner, start, end, replacement: `"(left out)"`, shown: `without ${text.slice(start, end)}` })
        break
      }
    }
    for (const child of childrenOf(node)) {
      const inner = nameOf(child)
      visit(child, inner === undefined || owner.split(".").length > 2 ? owner : `${owner}.${inner}`)
    }
  }

  visit(program as unknown as Node, name)
  return Mutants.apply(text, changes)
}
