import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { writeFileSync } from "node:fs"
import { makeReadLine } from "../../src/tlc/Dot.ts"
import { type Item, type Line, makeReader, readJsonLine } from "../../src/tlc/Graph.ts"
import { StateGraph, type TlcFailure, Value } from "../../src/tlc/index.ts"
import { classFolders, config, describeTlc, leftFolders, module, spec, toolchain } from "./support.ts"

const counter = ["SPECIFICATION Spec", "CONSTANT Max = 4"]
const shapes = ["INIT Init", "NEXT Next", "CONSTANTS Nodes = {n1, n2} Start = s", "CHECK_DEADLOCK FALSE"]

const stream = async (
  name: string,
  lines: ReadonlyArray<string>,
  options: Partial<StateGraph.StreamOptions> = {}
): Promise<
  { readonly result: Result.Result<StateGraph.Streamed, TlcFailure>; readonly items: ReadonlyArray<Item> }
> => {
  const items: Array<Item> = []
  const onItem = (item: Item) => items.push(item)
  const model = { spec: spec(name), config: config(...lines), quick: true, onItem, ...options }
  return { result: await Effect.runPromise(Effect.result(StateGraph.stream(toolchain(), model))), items }
}

const streamed = (result: Result.Result<StateGraph.Streamed, TlcFailure>): StateGraph.Streamed => {
  if (Result.isFailure(result)) throw new Error(result.failure.message)
  return result.success
}

/** The steps as `source action(arguments) target`, with states as canonical text. */
const readable = (items: ReadonlyArray<Item>): ReadonlyArray<string> => {
  const text = (variables: Readonly<Record<string, string>>) =>
    Object.keys(variables).sort().map((name) => Value.print(Value.parseUnsafe(variables[name]!))).join(" ")
  const states = new Map(items.flatMap((item) => item._tag === "State" ? [[item.id, text(item.variables)]] : []))
  return items.flatMap((item) => {
    if (item._tag === "State") return []
    const args = Object.entries(item.arguments).map(([name, value]) => `${name} = ${value}`).join(", ")
    return [`${states.get(item.source)} --${item.action}(${args})--> ${states.get(item.target)}`]
  }).sort()
}

// Two tests look at each of these graphs; a JVM start is worth saving.
const once = <A>(make: () => Promise<A>) => {
  let made: Promise<A> | undefined
  return () => made ??= make()
}
// Liveness makes TLC draw a stuttering step at every state, which must not become an edge.
const fair = ["SPECIFICATION FairSpec", "CONSTANT Max = 4", "PROPERTY ReachesTop"]
const counterGraph = once(() => stream("Counter", fair))
const shapesGraph = once(() => stream("Shapes", shapes))

describeTlc("the state graph", () => {
  it("has every state once, and every step with its arguments", async () => {
    const { items, result } = await counterGraph()
    const { outcome, ...size } = streamed(result)

    assert.strictEqual(outcome._tag, "Holds")
    assert.deepStrictEqual(size, { states: 8, edges: 12, arguments: true })
    assert.deepStrictEqual(items.filter((item) => item._tag === "State" && item.initial).length, 1)
    assert.deepStrictEqual(readable(items), [
      "<<>> 0 --Add(n = 1)--> [at |-> 0, by |-> 1] 1",
      "<<>> 0 --Add(n = 2)--> [at |-> 0, by |-> 2] 2",
      "[at |-> 0, by |-> 1] 1 --Add(n = 1)--> [at |-> 1, by |-> 1] 2",
      "[at |-> 0, by |-> 1] 1 --Add(n = 2)--> [at |-> 1, by |-> 2] 3",
      "[at |-> 0, by |-> 2] 2 --Add(n = 1)--> [at |-> 2, by |-> 1] 3",
      "[at |-> 0, by |-> 2] 2 --Add(n = 2)--> [at |-> 2, by |-> 2] 4",
      "[at |-> 1, by |-> 1] 2 --Add(n = 1)--> [at |-> 2, by |-> 1] 3",
      "[at |-> 1, by |-> 1] 2 --Add(n = 2)--> [at |-> 2, by |-> 2] 4",
      "[at |-> 1, by |-> 2] 3 --Add(n = 1)--> [at |-> 3, by |-> 1] 4",
      "[at |-> 2, by |-> 1] 3 --Add(n = 1)--> [at |-> 3, by |-> 1] 4",
      "[at |-> 2, by |-> 2] 4 --Reset()--> <<>> 0",
      "[at |-> 3, by |-> 1] 4 --Reset()--> <<>> 0"
    ])
  })

  it("has values of every shape, and arguments that depend on the state", async () => {
    const { items, result } = await shapesGraph()

    assert.strictEqual(streamed(result).states, 3)
    const first = items[0]!
    assert.strictEqual(first._tag, "State")
    if (first._tag !== "State") return
    assert.strictEqual(Value.parseUnsafe(first.variables["note"]!), "quote \" slash \\ /\\ note = 1")
    assert.strictEqual(
      Value.print(Value.parseUnsafe(first.variables["odd"]!)),
      "[empty |-> <<>>, low |-> -3, map |-> (-1 :> TRUE @@ 1 :> \"a\"), range |-> {1, 2, 3}]"
    )
    const steps = items.flatMap((item) =>
      item._tag === "Edge" ? [{ action: item.action, arguments: item.arguments }] : []
    )
    assert.deepStrictEqual(steps, [
      { action: "Take", arguments: { n: "n1", m: "s" } },
      { action: "Take", arguments: { n: "n2", m: "s" } },
      { action: "Give", arguments: { n: "n1" } },
      { action: "Give", arguments: { n: "n2" } }
    ])
  })

  it("is the same graph out of the dot file, but for the arguments", async () => {
    for (const [name, lines, json] of [["Counter", fair, counterGraph], ["Shapes", shapes, shapesGraph]] as const) {
      const dot = await stream(name, lines, { dot: true })

      assert.isFalse(streamed(dot.result).arguments)
      const bare = (await json()).items.map((item) => item._tag === "Edge" ? { ...item, arguments: {} } : item)
      assert.deepStrictEqual(readable(dot.items), readable(bare))
    }
  })

  it("ends with the violation where there is one", async () => {
    const { items, result } = await stream("Counter", [...counter, "INVARIANT Small"])
    const { outcome, states } = streamed(result)

    assert.strictEqual(outcome._tag, "Violated")
    if (outcome._tag === "Violated") assert.strictEqual(outcome.trace.length, 3)
    assert.strictEqual(items.filter((item) => item._tag === "State").length, states)
  })

  it("lacks the steps that a constraint cuts off", async () => {
    const { result } = await stream("Counter", [...counter, "CONSTRAINT Bounded"], { dot: true })
    const { edges, outcome } = streamed(result)

    assert.isBelow(edges, outcome.generated - outcome.initial)
  })

  it("is written by a writer that is compiled once", async () => {
    await stream("Counter", counter)
    const before = classFolders()

    const both = await Promise.all([stream("Counter", counter), stream("Counter", counter)])

    assert.isNotEmpty(before)
    assert.deepStrictEqual(classFolders(), before)
    for (const { result } of both) assert.deepInclude(streamed(result), { states: 8, edges: 12, arguments: true })
  })

  it("comes from the dot file where the writer does not fit", async () => {
    const writer = module("Unfit", "").replace(/tla$/, "java")
    writeFileSync(writer, "public class Unfit { public static void main(String[] args) { no.such.thing(); } }")
    const { result } = await stream("Counter", counter, { writer })

    assert.deepInclude(streamed(result), { states: 8, edges: 12, arguments: false })
  })

  it("is a failure when it is not ours", async () => {
    const writer = module("Foreign", "").replace(/tla$/, "java")
    writeFileSync(
      writer,
      "public class Foreign { public static void main(String[] args) throws Exception { System.out.println(\"hello\");"
        + " System.setOut(System.err); tlc2.TLC.main(args); } }"
    )
    const { result } = await stream("Counter", counter, { writer })

    if (Result.isSuccess(result)) return assert.fail("it passed")
    assert.strictEqual(result.failure.reason, "Graph")
    assert.match(result.failure.message, /line 1: .*hello/)
  })

  it("stops TLC when the consumer throws", async () => {
    const model = { spec: spec("Endless"), config: config("INIT Init", "NEXT Next"), quick: true }
    const exit = await Effect.runPromiseExit(StateGraph.stream(toolchain(), {
      ...model,
      onItem: () => {
        throw new Error("enough")
      }
    }))

    assert.strictEqual(exit._tag, "Failure")
    assert.match(String(exit), /enough/)
    assert.deepStrictEqual(leftFolders(), [])
  })
})

describe("a damaged graph is found:", () => {
  const read = (lines: ReadonlyArray<string>, notation: (text: string) => Line) => {
    const reader = makeReader(notation, () => {})
    for (const line of lines) reader.push(line)
    reader.end()
    return reader.problem()
  }
  const json = [
    "{\"format\":\"keos-graph-1\"}",
    "{\"s\":\"-1\",\"init\":true,\"v\":{\"x\":\"0\"}}",
    "{\"e\":[\"-1\",\"-1\"],\"a\":\"Stay\",\"p\":{}}",
    "{\"states\":1,\"edges\":1}"
  ]
  const dot = [
    "strict digraph DiskGraph {",
    "nodesep=0.35;",
    "subgraph cluster_graph {",
    "color=\"white\";",
    "-1 [label=\"x = 0\",style = filled]",
    "-1 -> -1 [label=\"Stay\",color=\"black\",fontcolor=\"black\"];",
    "-1 -> -1 [style=\"dashed\"];",
    "{rank = same; -1;}",
    "}",
    "}"
  ]

  it("a whole one has no problem", () => {
    assert.isUndefined(read(json, readJsonLine))
    assert.isUndefined(read(dot, makeReadLine()))
  })

  it("cut between two lines, wherever that is", () => {
    for (let length = 0; length < json.length; length++) {
      assert.deepInclude(read(json.slice(0, length), readJsonLine), { line: length })
    }
    for (let length = 0; length < dot.length; length++) {
      assert.deepInclude(read(dot.slice(0, length), makeReadLine()), { line: length })
    }
  })

  it("cut inside a line", () => {
    assert.deepInclude(read([...json.slice(0, 2), json[2]!.slice(0, 9)], readJsonLine), { line: 3 })
    assert.deepInclude(read([...dot.slice(0, 5), dot[5]!.slice(0, 9)], makeReadLine()), { line: 6 })
  })

  it("with a line missing, a line too many, or something else in it", () => {
    assert.deepInclude(read(json.toSpliced(1, 1), readJsonLine), { line: 3 })
    assert.deepInclude(read([...json, json[1]!], readJsonLine), { line: 5 })
    assert.deepInclude(read(json.toSpliced(2, 0, "Terminating due to java.lang.OutOfMemoryError"), readJsonLine), {
      line: 3
    })
    assert.deepInclude(read(["null", ...json], readJsonLine), { line: 1 })
    assert.deepInclude(read(dot.slice(1), makeReadLine()), { line: 4 })
  })
})
