/**
 * A state graph of the specification: as TLC writes it, held compactly, and in the canonical form that is committed.
 *
 * The texts of a variable repeat far more often than states do, so a state is kept as one number per variable. Two
 * graphs are the same graph when their canonical documents are equal; ids, order and white space of a TLC run are not
 * in them.
 */
import { createHash } from "node:crypto"
import { gunzipSync, gzipSync } from "node:zlib"
import * as Value from "../tlc/Value.ts"

/** An action with its arguments, as reports write it: `HandleProduce(p1, 0)`. */
export type Label = string

export interface Graph {
  readonly variables: ReadonlyArray<string>
  /** The distinct texts of each variable. */
  readonly texts: ReadonlyArray<ReadonlyArray<string>>
  /** For each state, the place of its text among those of each variable: `states[s * variables.length + v]`. */
  readonly states: ArrayLike<number>
  readonly initial: ReadonlyArray<number>
  readonly labels: ReadonlyArray<Label>
  readonly sources: ArrayLike<number>
  readonly targets: ArrayLike<number>
  /** The label of each edge, by its place in `labels`. */
  readonly edgeLabels: ArrayLike<number>
}

export const stateCount = (graph: Graph): number => graph.states.length / graph.variables.length

export const edgeCount = (graph: Graph): number => graph.sources.length

/** The text of a variable in a state. */
export const textOf = (graph: Graph, state: number, variable: number): string =>
  graph.texts[variable]![graph.states[state * graph.variables.length + variable]!]!

/** A list of numbers that grows in place. */
class Numbers {
  #values = new Int32Array(1024)
  length = 0

  push(value: number): void {
    if (this.length === this.#values.length) {
      const grown = new Int32Array(this.length * 2)
      grown.set(this.#values)
      this.#values = grown
    }
    this.#values[this.length++] = value
  }

  done(): Int32Array {
    return this.#values.slice(0, this.length)
  }
}

/** The distinct strings met, numbered. */
class Strings {
  readonly values: Array<string> = []
  readonly #numbers = new Map<string, number>()

  number(text: string): number {
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    const number = this.values.length
    // A copy: a slice of a long line would keep the whole line alive.
    const own = Buffer.from(text).toString()
    this.values.push(own)
    this.#numbers.set(own, number)
    return number
  }
}

export const label = (action: string, instance: ReadonlyArray<string | number>): Label =>
  instance.length === 0 ? action : `${action}(${instance.join(", ")})`

/** What a label says. */
export interface Call {
  readonly action: string
  readonly arguments: ReadonlyArray<string>
}

export const callOf = (name: Label): Call => {
  const [action, ...instance] = name.split(/[(), ]+/).filter((part) => part !== "")
  return { action: action!, arguments: instance }
}

/** A TLA+ argument as labels show it: a string without its quotes. */
const argument = (text: string): string => text.startsWith("\"") ? text.slice(1, -1) : text

/** What a state graph is built from, item by item, in the order in which TLC writes them. */
export interface Builder {
  readonly state: (id: string, initial: boolean, variables: Readonly<Record<string, string>>) => void
  readonly edge: (source: string, target: string, action: string, instance: Readonly<Record<string, string>>) => void
  readonly done: () => Graph
}

/** `variables` fixes the order of the columns; a state must have exactly these. */
export const builder = (variables: ReadonlyArray<string>): Builder => {
  const ids = new Map<string, number>()
  const texts = variables.map(() => new Strings())
  const labels = new Strings()
  const states = new Numbers()
  const sources = new Numbers()
  const targets = new Numbers()
  const edgeLabels = new Numbers()
  const initial: Array<number> = []
  const known = (id: string): number => {
    const number = ids.get(id)
    if (number === undefined) throw new GraphError(`an edge names state ${id}, which the dump does not have`)
    return number
  }
  return {
    state: (id, isInitial, values) => {
      if (ids.has(id)) throw new GraphError(`the dump has state ${id} twice`)
      if (Object.keys(values).length !== variables.length) {
        throw new GraphError(`state ${id} has other variables than ${variables.join(", ")}: another specification?`)
      }
      if (isInitial) initial.push(ids.size)
      ids.set(id, ids.size)
      variables.forEach((name, i) => {
        const text = values[name]
        if (text === undefined) throw new GraphError(`state ${id} has no variable ${name}: another specification?`)
        states.push(texts[i]!.number(text))
      })
    },
    edge: (source, target, action, instance) => {
      sources.push(known(source))
      targets.push(known(target))
      edgeLabels.push(labels.number(label(action, Object.values(instance).map(argument))))
    },
    done: () => {
      if (initial.length === 0) throw new GraphError("the dump has no initial state")
      return {
        variables,
        texts: texts.map(({ values }) => values),
        states: states.done(),
        initial,
        labels: labels.values,
        sources: sources.done(),
        targets: targets.done(),
        edgeLabels: edgeLabels.done()
      }
    }
  }
}

/** A graph file or a dump that cannot be used; the message says which and why. */
export class GraphError extends Error {}

/** Where a committed graph comes from. */
export interface Origin {
  readonly model: string
  /** SHA-256 over the modules and the configuration, in the order of the specification. */
  readonly specification: string
  /** The banner of the TLC that made it. */
  readonly tlc: string
}

interface Document {
  readonly schemaVersion: 1
  readonly origin: Origin
  readonly variables: ReadonlyArray<string>
  readonly texts: ReadonlyArray<ReadonlyArray<string>>
  readonly states: ReadonlyArray<number>
  readonly initial: ReadonlyArray<number>
  readonly labels: ReadonlyArray<Label>
  readonly edges: ReadonlyArray<readonly [source: number, target: number, label: number]>
}

/** The distinct values in order, and where each of `values` stands among them. */
const ranked = (
  values: ReadonlyArray<string>
): { readonly sorted: ReadonlyArray<string>; readonly ranks: Int32Array } => {
  const sorted = [...new Set(values)].toSorted((a, b) => a < b ? -1 : 1)
  const places = new Map(sorted.map((value, place) => [value, place]))
  return { sorted, ranks: Int32Array.from(values, (value) => places.get(value)!) }
}

/**
 * The same graph in an order that depends on nothing but the graph: texts in canonical notation and sorted, states
 * sorted by their texts, edges by source, label and target.
 */
export const canonical = (graph: Graph): Graph => {
  const width = graph.variables.length
  const texts = graph.texts.map((written) => ranked(written.map((text) => Value.print(Value.parseUnsafe(text)))))
  const count = stateCount(graph)
  const column = (state: number, variable: number): number =>
    texts[variable]!.ranks[graph.states[state * width + variable]!]!
  const byTexts = (a: number, b: number): number => {
    for (let v = 0; v < width; v++) {
      const order = column(a, v) - column(b, v)
      if (order !== 0) return order
    }
    return 0
  }
  const order = Array.from({ length: count }, (_, i) => i).sort(byTexts)
  const place = new Int32Array(count)
  order.forEach((old, i) => place[old] = i)
  const labels = ranked(graph.labels)
  const edges = Array.from(
    { length: edgeCount(graph) },
    (_, i) => [place[graph.sources[i]!]!, labels.ranks[graph.edgeLabels[i]!]!, place[graph.targets[i]!]!] as const
  ).sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2])
  return {
    variables: graph.variables,
    texts: texts.map(({ sorted }) => sorted),
    states: Int32Array.from(order.flatMap((old) => graph.variables.map((_, v) => column(old, v)))),
    initial: graph.initial.map((old) => place[old]!).toSorted((a, b) => a - b),
    labels: labels.sorted,
    sources: Int32Array.from(edges, ([source]) => source),
    targets: Int32Array.from(edges, ([, , target]) => target),
    edgeLabels: Int32Array.from(edges, ([, name]) => name)
  }
}

/** The committed form of a canonical graph. */
export const encode = (graph: Graph, origin: Origin): Uint8Array => {
  const document: Document = {
    schemaVersion: 1,
    origin,
    variables: graph.variables,
    texts: graph.texts,
    states: Array.from(graph.states),
    initial: graph.initial,
    labels: graph.labels,
    edges: Array.from(graph.sources, (source, i) => [source, graph.targets[i]!, graph.edgeLabels[i]!] as const)
  }
  return gzipSync(JSON.stringify(document), { level: 9 })
}

/** Reads a committed graph. Throws `GraphError` for anything else. */
export const decode = (bytes: Uint8Array): { readonly graph: Graph; readonly origin: Origin } => {
  const document = read(bytes)
  const width = document.variables.length
  const count = document.states.length / width
  const isState = (number: unknown): boolean =>
    Number.isInteger(number) && Number(number) >= 0 && Number(number) < count
  const isWhole = Number.isInteger(count) && document.texts.length === width
    && document.states.every((text, i) => document.texts[i % width]?.[text] !== undefined)
    && document.edges.every((edge) =>
      Array.isArray(edge) && isState(edge[0]) && isState(edge[1]) && document.labels[edge[2]!] !== undefined
    )
    && document.initial.length > 0 && document.initial.every(isState)
  if (!isWhole) throw new GraphError("the graph is cut off or damaged")
  return {
    origin: document.origin,
    graph: {
      variables: document.variables,
      texts: document.texts,
      states: Int32Array.from(document.states),
      initial: document.initial,
      labels: document.labels,
      sources: Int32Array.from(document.edges, ([source]) => source),
      targets: Int32Array.from(document.edges, ([, target]) => target),
      edgeLabels: Int32Array.from(document.edges, ([, , name]) => name)
    }
  }
}

const read = (bytes: Uint8Array): Document => {
  let text: string
  try {
    text = gunzipSync(bytes).toString("utf8")
  } catch {
    throw new GraphError("the graph is not a complete gzip file")
  }
  try {
    const document = JSON.parse(text) as Partial<Document>
    const { edges, initial, labels, states, texts, variables } = document
    if (document.schemaVersion !== 1 || ![edges, initial, labels, states, texts, variables].every(Array.isArray)) {
      throw new GraphError("the graph has another format")
    }
    return document as Document
  } catch (error) {
    throw error instanceof GraphError ? error : new GraphError("the graph is not JSON")
  }
}

/** SHA-256 over texts, as an `Origin` carries it. Line ends do not count. */
export const fingerprint = (texts: ReadonlyArray<string>): string => {
  const hash = createHash("sha256")
  for (const text of texts) hash.update(text.replaceAll("\r\n", "\n")).update("\0")
  return hash.digest("hex")
}
