import { assert, describe, it } from "@effect/vitest"
import { gunzipSync, gzipSync } from "node:zlib"
import * as Graphs from "../../src/conformance/Graph.ts"

type State = readonly [id: string, initial: boolean, x: string, y: string]
type Edge = readonly [source: string, target: string, action: string, instance: Readonly<Record<string, string>>]

const states: ReadonlyArray<State> = [
  ["1", true, "0", "{\"a\", \"b\"}"],
  ["2", false, "1", "<<1, 2>>"],
  ["3", false, "2", "[f |-> 1, g |-> 2]"]
]
const edges: ReadonlyArray<Edge> = [
  ["1", "2", "Step", { p: "\"p1\"", n: "3" }],
  ["1", "3", "Jump", {}],
  ["2", "3", "Step", { p: "\"p1\"", n: "3" }],
  ["3", "3", "Jump", {}],
  ["1", "1", "Jump", {}]
]

const built = (someStates: ReadonlyArray<State>, someEdges: ReadonlyArray<Edge>): Graphs.Graph => {
  const builder = Graphs.builder(["x", "y"])
  for (const [id, initial, x, y] of someStates) builder.state(id, initial, { x, y })
  for (const edge of someEdges) builder.edge(...edge)
  return builder.done()
}

const graph = built(states, edges)
const origin: Graphs.Origin = { model: "m", specification: "s", tlc: "t" }

/** Every edge in words, so that graphs can be compared without regard to their numbers. */
const told = (of: Graphs.Graph): ReadonlyArray<string> =>
  Array.from({ length: Graphs.edgeCount(of) }, (_, edge) => {
    const state = (number: number) => of.variables.map((_name, v) => Graphs.textOf(of, number, v)).join(" & ")
    return `${state(of.sources[edge]!)} | ${of.labels[of.edgeLabels[edge]!]!} | ${state(of.targets[edge]!)}`
  }).toSorted()

describe("builder", () => {
  it("keeps states, edges and initial states as they came", () => {
    assert.strictEqual(Graphs.stateCount(graph), 3)
    assert.strictEqual(Graphs.edgeCount(graph), 5)
    assert.deepStrictEqual(graph.initial, [0])
    assert.deepStrictEqual(states.map((_state, i) => Graphs.textOf(graph, i, 0)), ["0", "1", "2"])
    assert.strictEqual(Graphs.textOf(graph, 1, 1), "<<1, 2>>")
  })

  it("labels an edge with its action and arguments, strings without quotes", () => {
    assert.deepStrictEqual(graph.labels, ["Step(p1, 3)", "Jump"])
  })

  it("keeps more states than it has room for at first", () => {
    const builder = Graphs.builder(["x"])
    for (let i = 0; i < 3000; i++) builder.state(String(i), i === 0, { x: String(i % 7) })
    for (let i = 1; i < 3000; i++) builder.edge(String(i - 1), String(i), "Step", {})

    const line = builder.done()

    assert.strictEqual(Graphs.stateCount(line), 3000)
    assert.strictEqual(line.texts[0]!.length, 7)
    assert.strictEqual(Graphs.textOf(line, 2999, 0), String(2999 % 7))
    assert.strictEqual(line.targets[2998], 2999)
  })

  it("refuses a state of another specification", () => {
    const builder = Graphs.builder(["x", "y"])

    assert.throws(() => builder.state("1", true, { x: "0", z: "1" }), Graphs.GraphError, /state 1 has no variable y/)
  })

  for (const [source, target] of [["1", "9"], ["9", "1"]] as const) {
    it(`refuses an edge from ${source} to ${target}, of which one is not there`, () => {
      const builder = Graphs.builder(["x"])
      builder.state("1", true, { x: "0" })

      assert.throws(() => builder.edge(source, target, "Step", {}), Graphs.GraphError, /names state 9.*does not have/)
    })
  }

  it("refuses a state with a variable too many", () => {
    const builder = Graphs.builder(["x"])

    assert.throws(() => builder.state("1", true, { x: "0", z: "1" }), Graphs.GraphError)
  })

  it("refuses a second state with the same id", () => {
    const builder = Graphs.builder(["x"])
    builder.state("1", true, { x: "0" })

    assert.throws(() => builder.state("1", false, { x: "1" }), Graphs.GraphError)
  })
})

describe("canonical", () => {
  const expected = Graphs.canonical(graph)

  it("is the same graph", () => {
    assert.strictEqual(Graphs.stateCount(expected), 3)
    assert.deepStrictEqual(told(expected), told(graph))
    assert.deepStrictEqual(expected.initial.map((state) => Graphs.textOf(expected, state, 0)), ["0"])
  })

  it("is its own canonical form", () => {
    assert.deepStrictEqual(Graphs.canonical(expected), expected)
  })

  const renamed = new Map([["1", "-77"], ["2", "z"], ["3", "1"]])
  const table: ReadonlyArray<readonly [what: string, other: Graphs.Graph]> = [
    ["the order of states", built(states.toReversed(), edges)],
    ["the order of edges", built(states, edges.toReversed())],
    [
      "ids",
      built(
        states.map(([id, ...rest]) => [renamed.get(id)!, ...rest] as const),
        edges.map(([source, target, ...rest]) => [renamed.get(source)!, renamed.get(target)!, ...rest] as const)
      )
    ],
    [
      "white space and the order in sets",
      built([
        ["1", true, "0", "{\"b\",\"a\"}"],
        ["2", false, "1", "<<1,\n  2>>"],
        ["3", false, "2", "(\"g\" :> 2 @@ \"f\" :> 1)"]
      ], edges)
    ]
  ]
  for (const [what, other] of table) {
    it(`does not depend on ${what}`, () => {
      assert.deepStrictEqual(Graphs.canonical(other), expected)
    })
  }

  const different: ReadonlyArray<readonly [what: string, other: Graphs.Graph]> = [
    ["a state that differs", built(states.with(1, ["2", false, "1", "<<2, 1>>"]), edges)],
    ["an edge that is missing", built(states, edges.slice(1))],
    ["an edge that leads elsewhere", built(states, edges.with(0, ["1", "1", "Step", { p: "\"p1\"", n: "3" }]))],
    ["an edge of another action", built(states, edges.with(1, ["1", "3", "Leap", {}]))],
    ["another initial state", built(states.map(([id, , x, y]) => [id, id === "2", x, y] as const), edges)]
  ]
  for (const [what, other] of different) {
    it(`shows ${what}`, () => {
      assert.notDeepEqual(Graphs.canonical(other), expected)
    })
  }

  it("does not depend on one value being written in two ways", () => {
    const pair = (second: string) => built([["1", true, "0", "{1, 2}"], ["2", false, "1", second]], [])

    assert.deepStrictEqual(Graphs.canonical(pair("{2, 1}")), Graphs.canonical(pair("{1, 2}")))
  })
})

describe("decode", () => {
  const canonical = Graphs.canonical(graph)
  const bytes = Graphs.encode(canonical, origin)
  const document = JSON.parse(gunzipSync(bytes).toString()) as Record<string, unknown>
  const packed = (value: unknown): Uint8Array => gzipSync(JSON.stringify(value))

  it("gives back what was encoded, and where it comes from", () => {
    const found = Graphs.decode(bytes)

    assert.deepStrictEqual(found, { graph: { ...canonical }, origin })
    assert.deepStrictEqual(Buffer.from(Graphs.encode(found.graph, origin)), Buffer.from(bytes))
  })

  const states = document["states"] as ReadonlyArray<number>
  const edges = document["edges"] as ReadonlyArray<ReadonlyArray<number>>
  const gzip = /^the graph is not a complete gzip file$/
  const json = /^the graph is not JSON$/
  const format = /^the graph has another format$/
  const damaged = /^the graph is cut off or damaged$/
  const table: ReadonlyArray<readonly [what: string, bytes: Uint8Array, message: RegExp]> = [
    ["nothing", new Uint8Array(), gzip],
    ["a file that is cut off", bytes.slice(0, -20), gzip],
    ["a file with one changed byte", bytes.with(Math.floor(bytes.length / 2), bytes.at(bytes.length / 2)! ^ 255), gzip],
    ["text", Buffer.from(JSON.stringify(document)), gzip],
    ["JSON that is cut off", gzipSync(JSON.stringify(document).slice(0, -9)), json],
    ["null", packed(null), json],
    ["another version", packed({ ...document, schemaVersion: 2 }), format],
    ["no version", packed({}), format],
    ["a document without states", packed({ ...document, states: undefined }), format],
    ["a document without edges", packed({ ...document, edges: undefined }), format],
    ["a state that is cut off", packed({ ...document, states: states.slice(0, -1) }), damaged],
    ["a text that is not there", packed({ ...document, states: states.with(0, 99) }), damaged],
    ["a text before the first", packed({ ...document, states: states.with(0, -1) }), damaged],
    ["texts of another number of variables", packed({ ...document, texts: [] }), damaged],
    ["an edge from nowhere", packed({ ...document, edges: edges.with(0, [3, 0, 0]) }), damaged],
    ["an edge to nowhere", packed({ ...document, edges: edges.with(0, [0, 3, 0]) }), damaged],
    ["an edge before the first state", packed({ ...document, edges: edges.with(0, [0, -1, 0]) }), damaged],
    ["an edge without a label", packed({ ...document, edges: edges.with(0, [0, 0, 2]) }), damaged],
    ["no initial state", packed({ ...document, initial: [] }), damaged],
    ["no variables", packed({ ...document, variables: [], texts: [] }), damaged]
  ]
  for (const [what, found, message] of table) {
    it(`refuses ${what}`, () => {
      assert.throws(() => Graphs.decode(found), Graphs.GraphError, message)
    })
  }

  const malformed: ReadonlyArray<readonly [what: string, bytes: Uint8Array]> = [
    ["an initial state that is not there", packed({ ...document, initial: [99] })],
    ["a document without initial states", packed({ ...document, initial: undefined })],
    ["a document without texts", packed({ ...document, texts: undefined })],
    ["a document without variables", packed({ ...document, variables: undefined })],
    ["a document without labels", packed({ ...document, labels: undefined })],
    ["an edge that is no edge", packed({ ...document, edges: [0] })],
    ["half an edge", packed({ ...document, edges: edges.with(0, [0.5, 0, 0]) })]
  ]
  for (const [what, found] of malformed) {
    it(`refuses ${what}`, () => {
      assert.throws(() => Graphs.decode(found), Graphs.GraphError)
    })
  }
})

describe("fingerprint", () => {
  it("depends on every text and where it ends, and not on line ends", () => {
    const found = Graphs.fingerprint(["a\nb", "c"])

    assert.match(found, /^[0-9a-f]{64}$/)
    assert.strictEqual(Graphs.fingerprint(["a\r\nb", "c"]), found)
    for (const other of [["a\nb"], ["a\nbc"], ["a\nb", "c", ""], ["c", "a\nb"], ["a\nb", "d"]]) {
      assert.notStrictEqual(Graphs.fingerprint(other), found)
    }
  })
})
