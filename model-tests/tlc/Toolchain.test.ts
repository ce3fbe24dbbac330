import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll } from "vitest"
import { check, Toolchain } from "../../src/tlc/index.ts"
import { config, describeTlc, spec, toolchain } from "./support.ts"

const folder = mkdtempSync(join(tmpdir(), "keos-test-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const failure = (options: Toolchain.LocateOptions) => Effect.runPromise(Effect.flip(Toolchain.locate(options)))

describeTlc("locate", () => {
  it("says what it found", () => {
    const found = toolchain()

    assert.match(found.version, /^\d/)
    assert.match(found.javaVersion, /^\d/)
    assert.match(found.sha256, /^[0-9a-f]{64}$/)
  })

  it("takes a jar the user points to, reads its banner, and runs it", async () => {
    // A byte after the end of a zip file changes its hash and nothing else: the pinned jar as another release.
    const jar = join(folder, "tla2tools.jar")
    copyFileSync(toolchain().jar, jar)
    writeFileSync(jar, "\n", { flag: "a" })

    const found = await Effect.runPromise(Toolchain.locate({ environment: { KEOS_TLC_JAR: jar } }))

    assert.strictEqual(found.jar, jar)
    assert.notStrictEqual(found.sha256, Toolchain.pinned.sha256)
    assert.strictEqual(found.version, Toolchain.pinned.banner)
    const model = { spec: spec("Counter"), config: config("SPECIFICATION Spec", "CONSTANT Max = 4"), quick: true }
    assert.strictEqual((await Effect.runPromise(check(found, model)))._tag, "Holds")
  })

  it("refuses a jar that is something else", async () => {
    const jar = join(folder, "other.jar")
    writeFileSync(jar, "no zip at all")

    const error = await failure({ jar })

    assert.strictEqual(error._tag, "WrongJar")
    assert.include(error.message, jar)
  })

  it("refuses a jar in the Maven repository that is not the pinned one", async () => {
    const environment = { MAVEN_OPTS: `-Xmx1g -Dmaven.repo.local=${folder}/repository` }
    const jar = Toolchain.localRepositoryJar(environment)
    mkdirSync(dirname(jar), { recursive: true })
    writeFileSync(jar, "damaged")

    const error = await failure({ environment })

    assert.strictEqual(error._tag, "WrongJar")
    assert.match(error.message, /has SHA-256 .* Delete the file/)
  })
})

describe("locate without tools", () => {
  it("says where it looked for Java", async () => {
    const error = await failure({ java: "/nowhere/java" })

    assert.strictEqual(error._tag, "JavaMissing")
    assert.include(error.message, "/nowhere/java")
  })
})

describeTlc("locate without a jar", () => {
  it("says where it looked", async () => {
    const environment = { MAVEN_OPTS: `-Dmaven.repo.local=${folder}/empty` }
    const offline = await failure({ environment, offline: true })
    const wrong = await failure({ environment: { KEOS_TLC_JAR: "/nowhere/tla2tools.jar" } })

    assert.strictEqual(offline._tag, "JarMissing")
    assert.include(offline.message, `${folder}/empty`)
    assert.strictEqual(wrong._tag, "JarMissing")
    assert.include(wrong.message, "/nowhere/tla2tools.jar, where KEOS_TLC_JAR points")
  })
})
