import { assert, describe, it } from "@effect/vitest"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

const home = join(import.meta.dirname, "../..")

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}

interface Lock {
  readonly lockfileVersion: number
  readonly packages: Readonly<
    Record<
      string,
      Partial<Manifest> & {
        readonly version?: string
        readonly integrity?: string
        readonly link?: boolean
        readonly optional?: boolean
        readonly os?: ReadonlyArray<string>
        readonly cpu?: ReadonlyArray<string>
      }
    >
  >
}

const read = <A>(name: string): A => JSON.parse(readFileSync(join(home, name), "utf8")) as A
const manifest = read<Manifest>("package.json")
const lock = read<Lock>("package-lock.json")
const direct = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })

describe("package.json", () => {
  it("has dependencies", () => {
    assert.includeMembers(Object.keys(manifest.dependencies), ["effect", "fast-check"])
    assert.includeMembers(Object.keys(manifest.devDependencies), ["typescript", "oxlint", "vitest"])
  })

  for (const [name, version] of direct) {
    it(`pins ${name} exactly, to the version that is locked`, () => {
      assert.match(version, /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/)
      assert.strictEqual(lock.packages[`node_modules/${name}`]?.version, version)
    })
  }

  it("does not make users install what only development needs", () => {
    const both = Object.keys(manifest.dependencies).filter((name) => name in manifest.devDependencies)

    assert.deepStrictEqual(both, [])
  })
})

describe("package-lock.json", () => {
  it("names no registry", () => {
    const text = readFileSync(join(home, "package-lock.json"), "utf8")

    assert.notInclude(text, "\"resolved\"")
    assert.notMatch(text, /https?:\/\/[^"]*\.tgz/)
  })

  it("is that of package.json", () => {
    const root = lock.packages[""]

    assert.deepStrictEqual(root?.dependencies, manifest.dependencies)
    assert.deepStrictEqual(root?.devDependencies, manifest.devDependencies)
  })

  // What only other platforms install was not there to be summed when the file was written.
  it("has a checksum for every package that is not for some other platform only", () => {
    const without = Object.entries(lock.packages).flatMap(([name, { cpu, integrity, link, optional, os }]) =>
      name === "" || link === true || integrity !== undefined
        || (optional === true && (os !== undefined || cpu !== undefined))
        ? []
        : [name]
    )

    assert.isAbove(Object.keys(lock.packages).length, 20)
    assert.deepStrictEqual(without, [])
  })
})

it("everything that the package ships is there or is built", () => {
  const { files } = read<{ readonly files: ReadonlyArray<string> }>("package.json")

  assert.deepStrictEqual(files.filter((name) => name !== "dist" && !existsSync(join(home, name))), [])
})
