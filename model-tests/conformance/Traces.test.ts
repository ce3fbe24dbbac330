import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Exhibits from "../../src/conformance/Exhibits.ts"
import * as Graphs from "../../src/conformance/Graph.ts"
import * as Specification from "../../src/conformance/Specification.ts"
import * as Traces from "../../src/conformance/Traces.ts"
import { committed, configPath, graphName, temporary, withEdges } from "./support.ts"

/** The text of a configuration file with a change. */
const config = (checked: Specification.Checked, edit: (text: string) => string): string =>
  edit(readFileSync(checked.origin, "utf8"))

describe("read", () => {
  it.effect("gives every committed graph of the manifest", () =>
    Effect.gen(function*() {
      const { exhibits, models } = yield* Specification.manifest
      for (const model of models.filter((one) => one.committed)) {
        const graph = yield* Traces.read(model.name, yield* Specification.load(model.module, model.config))
        assert.isAbove(Graphs.edgeCount(graph), 0)
      }
      for (const exhibit of exhibits) {
        const graph = yield* Traces.read(Exhibits.graphName(exhibit), yield* Exhibits.loadClean(exhibit))
        assert.isAbove(Graphs.edgeCount(graph), 0)
      }
    }))

  it.effect("says which file is missing and how to get it", () =>
    Effect.gen(function*() {
      const { checked } = yield* committed("wrap-small")

      const { message } = yield* Effect.flip(Traces.read("no-such-model", checked))

      assert.match(message, /traces\/graphs\/no-such-model\.json\.gz: there is no such graph; .*'keos check --update'/)
    }))

  type Damage = readonly [what: string, damage: (bytes: Uint8Array) => Uint8Array, message: RegExp]
  const damages: ReadonlyArray<Damage> = [
    [
      "is cut off",
      (bytes) => bytes.slice(0, bytes.length / 2),
      /graph\.json\.gz: the graph is not a complete gzip file$/
    ],
    ["is empty", () => new Uint8Array(), /graph\.json\.gz: the graph is not a complete gzip file$/],
    [
      "has one changed byte",
      (bytes) => bytes.with(2000, bytes[2000]! ^ 1),
      /graph\.json\.gz: the graph is not a complete gzip file$/
    ]
  ]
  for (const [what, damage, expected] of damages) {
    it.effect(`refuses a file that ${what}`, () =>
      Effect.gen(function*() {
        const { checked } = yield* committed("wrap-small")
        const folder = yield* temporary
        writeFileSync(join(folder, "graph.json.gz"), damage(readFileSync(Traces.pathOf("wrap-small"))))

        const { message } = yield* Effect.flip(Traces.read(graphName(folder, "graph"), checked))

        assert.match(message, expected)
      }))
  }

  const changes: ReadonlyArray<readonly [what: string, edit: (text: string) => string]> = [
    ["a smaller bound", (text) => text.replace("FaultBudget = 1", "FaultBudget = 0")],
    ["an invariant less", (text) => text.replace("  NoGap\n", "")],
    [
      "an overridden rule",
      (text) => text.replace(/\nINVARIANTS/, "\n  MayBumpEpoch <- MayBumpEpoch_KAFKA_14034\nINVARIANTS")
    ]
  ]
  for (const [what, edit] of changes) {
    it.effect(`refuses the graph of a configuration that has ${what} now`, () =>
      Effect.gen(function*() {
        const { checked, model } = yield* committed("wrap-small")
        const folder = yield* temporary
        const text = config(checked, edit)
        assert.notStrictEqual(text, readFileSync(checked.origin, "utf8"))
        writeFileSync(join(folder, "changed.cfg"), text)

        const changed = yield* Specification.load(model.module, configPath(folder, "changed.cfg"))
        const { message } = yield* Effect.flip(Traces.read("wrap-small", changed))

        assert.match(message, /wrap-small\.json\.gz: the graph is stale: .*\.tla or .*changed\.cfg has changed since/)
      }))
  }

  it.effect("refuses the graph of another module", () =>
    Effect.gen(function*() {
      const { checked } = yield* committed("wrap-small")
      const other = { ...checked, module: join(Specification.folder, "KafkaReleases.tla") }

      const { message } = yield* Effect.flip(Traces.read("wrap-small", other))

      assert.match(message, /the graph is stale/)
    }))

  it.effect("takes a configuration that differs in comments and white space alone", () =>
    Effect.gen(function*() {
      const { checked, graph, model } = yield* committed("wrap-small")
      const folder = yield* temporary
      writeFileSync(join(folder, "same.cfg"), config(checked, (text) => `\\* Another comment.\n${text}\n\n`))

      const same = yield* Specification.load(model.module, configPath(folder, "same.cfg"))

      assert.isTrue(Traces.areEqual(yield* Traces.read("wrap-small", same), graph))
    }))
})

describe("write", () => {
  it.effect("writes what read gives back, byte for byte as it is committed", () =>
    Effect.gen(function*() {
      const { checked, graph } = yield* committed("wrap-small")
      const folder = yield* temporary
      const name = graphName(folder, "new/wrap-small")

      yield* Traces.write(name, checked, graph, "TLC")

      assert.isTrue(Traces.areEqual(yield* Traces.read(name, checked), graph))
      const { origin } = Graphs.decode(readFileSync(Traces.pathOf(name)))
      assert.deepInclude(origin, { model: name, tlc: "TLC" })
      const before = Graphs.decode(readFileSync(Traces.pathOf("wrap-small")))
      assert.strictEqual(origin.specification, before.origin.specification)
      assert.strictEqual(before.origin.model, "wrap-small")
      assert.deepStrictEqual(
        Buffer.from(Graphs.encode(Graphs.canonical(graph), before.origin)),
        readFileSync(Traces.pathOf("wrap-small"))
      )
    }))
})

describe("areEqual", () => {
  it.effect("is about the graph and not about its numbers", () =>
    Effect.gen(function*() {
      const { graph } = yield* committed("wrap-small")

      assert.isTrue(Traces.areEqual(graph, withEdges(graph, (edges) => edges.toReversed())))
      assert.isFalse(Traces.areEqual(graph, withEdges(graph, (edges) => edges.slice(1))))
      assert.isFalse(Traces.areEqual(graph, { ...graph, initial: [1] }))
    }))
})
