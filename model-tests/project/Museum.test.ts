import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as Specification from "../../src/conformance/Specification.ts"
import { FetchMuseum, Museum, TransactionMuseum } from "../../src/core/index.ts"
import * as Config from "../../src/tlc/Config.ts"

const { exhibits, guarantees, models } = Effect.runSync(Specification.manifest)
const { folder, home } = Specification

/** The rules that each exhibit puts in the place of others, of all museums. */
const museums = [Museum.overrides, TransactionMuseum.overrides, FetchMuseum.overrides]
const overrides: Readonly<Record<string, object>> = Object.assign({}, ...museums) as Record<string, object>

const identifier = (name: string): string => name.replaceAll("-", "_")
const names = exhibits.map(({ name }) => name)

const filesIn = (path: string, suffix: string): ReadonlyArray<string> =>
  readdirSync(path).flatMap((name) => name.endsWith(suffix) ? [name.slice(0, -suffix.length)] : []).toSorted()

const configOf = (path: string): Config.Config =>
  Result.getOrThrow(Config.parse(readFileSync(join(folder, path), "utf8")))

describe("the museum", () => {
  const sorted = names.toSorted()
  // A bug that is a constant needs no rule, and so no module.
  const ruled = exhibits.flatMap(({ name, rules }) => rules.length === 0 ? [] : [name]).toSorted()
  const table: ReadonlyArray<readonly [what: string, found: ReadonlyArray<string>, expected: ReadonlyArray<string>]> = [
    ["that is a rule an override in the core", museums.flatMap((museum) => Object.keys(museum)).toSorted(), ruled],
    ["that is a rule a module", filesIn(join(folder, "museum"), ".tla"), ruled.map(identifier).toSorted()],
    ["a configuration", filesIn(join(folder, "museum"), ".cfg"), sorted.map(identifier).toSorted()],
    ["a committed graph", filesIn(join(home, "traces/graphs/museum"), ".json.gz"), sorted],
    ["a committed counterexample", filesIn(join(home, "traces/counterexamples"), ".itf.json"), sorted]
  ]
  for (const [what, found, expected] of table) {
    it(`has for every exhibit of the manifest ${what}, and none besides`, () => {
      assert.isNotEmpty(expected)
      assert.deepStrictEqual(found, expected)
    })
  }

  it("has every exhibit once", () => {
    assert.strictEqual(new Set(names).size, names.length)
  })
})

for (const exhibit of exhibits) {
  describe(exhibit.name, () => {
    const suffix = identifier(exhibit.name)
    const module = readFileSync(join(folder, exhibit.module), "utf8")
    const config = configOf(exhibit.config)

    it("is in files of its name", () => {
      if (exhibit.rules.length > 0) assert.strictEqual(exhibit.module, `museum/${suffix}.tla`)
      assert.strictEqual(exhibit.config, `museum/${suffix}.cfg`)
    })

    it.skipIf(exhibit.rules.length === 0)("changes the same rules in the manifest, the core and the module", () => {
      const override = overrides[exhibit.name]!
      const defined = Array.from(
        module.matchAll(/^(\w+?)_(\w+)\(.*==/gm),
        ([, rule, by]) => by === suffix ? [rule!] : []
      )

      assert.sameMembers([...exhibit.rules], Object.keys(override))
      assert.sameMembers([...exhibit.rules], defined.flat())
    })

    it("is in force in its configuration, which watches the property that it must violate", () => {
      for (const rule of exhibit.rules) {
        assert.strictEqual(config.substitutions[rule]?.definition, `${rule}_${suffix}`)
      }
      assert.deepStrictEqual([...config.invariants, ...config.properties], [exhibit.property])
    })

    it("says where the bug was reported", () => {
      assert.isNotEmpty(exhibit.reference)
      assert.isNotEmpty(exhibit.title)
    })
  })
}

describe("the manifest", () => {
  it("has every configuration under models and museum, and no other", () => {
    const listed = [...models, ...guarantees, ...exhibits].map(({ config }) => config)
    const there = ["models", "museum"].flatMap((place) =>
      readdirSync(join(folder, place), { recursive: true, encoding: "utf8" }).flatMap((name) =>
        name.endsWith(".cfg") ? [`${place}/${name}`] : []
      )
    )

    assert.sameMembers([...new Set(listed)], there)
  })

  it("has committed graphs for the models that say so, and no other", () => {
    const committed = models.filter((model) => model.committed).map(({ name }) => name)

    assert.deepStrictEqual(filesIn(join(home, "traces/graphs"), ".json.gz"), committed.toSorted())
  })

  for (const model of models) {
    it(`${model.name} names an existing module and pins a verdict with its numbers`, () => {
      assert.isTrue(existsSync(join(folder, model.module)))
      assert.strictEqual(model.verdict === "violated", model.property !== undefined)
      if (model.verdict === "holds") assert.isUndefined(model.length)
      assert.strictEqual(model.verdict === "holds", model.counts !== undefined)
    })

    it.effect(`${model.name} pins the length of every counterexample but a lasso, which it watches for alone`, () =>
      Effect.gen(function*() {
        if (model.verdict === "holds" || model.length !== undefined) return
        const { leftToTlc } = yield* Specification.judgesOf(yield* Specification.load(model.module, model.config))

        assert.deepStrictEqual([...model.properties], [model.property])
        assert.isTrue(Object.hasOwn(leftToTlc, model.property!))
      }))

    it(`${model.name} checks the properties that are pinned`, () => {
      const { invariants, properties } = configOf(model.config)

      assert.deepStrictEqual([...invariants, ...properties], [...model.properties])
      // A graph that is compared whole says enough.
      if (model.replay.length === 0) assert.isNotEmpty(model.properties)
    })
  }

  for (const row of guarantees) {
    it(`${row.configuration} watches what it is asked, and pins a length with every violation`, () => {
      const { invariants, properties } = configOf(row.config)

      assert.includeMembers([...invariants, ...properties], [...Specification.guaranteesOf(row)])
      assert.isNotEmpty(row.cells)
      for (const { length, verdict } of Object.values(row.cells)) {
        assert.strictEqual(verdict === "violated", length !== undefined)
      }
    })
  }
})
