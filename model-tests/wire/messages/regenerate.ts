/**
 * `node model-tests/wire/messages/regenerate.ts`: makes the tables of `src/wire/messages` anew, and the frames that the
 * tests compare with. It needs Maven, a JDK of 17 or newer, and the network for what Maven has not got yet.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { brotliCompressSync, constants } from "node:zlib"
import type { Definition } from "../../../src/wire/index.ts"
import * as Definitions from "./Definitions.ts"
import * as Jar from "./Jar.ts"

const here = import.meta.dirname
const tables = join(here, "../../../src/wire/messages")

const run = (command: string, parameters: ReadonlyArray<string>, input = ""): string => {
  const { error, status, stdout } = spawnSync(command, parameters, {
    cwd: here,
    input,
    encoding: "utf8",
    maxBuffer: 2 ** 30,
    stdio: ["pipe", "pipe", "inherit"]
  })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${command} ended with ${status}`)
  return stdout
}

const classpath = (version: string): string => {
  const folder = mkdtempSync(join(tmpdir(), "keos-messages-"))
  try {
    const file = join(folder, "classpath")
    run("mvn", ["-q", "-B", "dependency:build-classpath", `-Dkafka=${version}`, `-Dmdep.outputFile=${file}`])
    return readFileSync(file, "utf8")
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const { newest, oldest } = Definitions.releases
const newestClasspath = classpath(newest)
const oldestClasspath = classpath(oldest)

const made = Definitions.generate({ newest: Jar.kafkaClients(newest)!, oldest: Jar.kafkaClients(oldest)! })
for (const [name, text] of made) writeFileSync(join(tables, name), text)

// Only now, as the tables are new.
const { apis } = (await import(pathToFileURL(join(tables, "index.ts")).href)) as {
  readonly apis: ReadonlyArray<Definition.Api>
}
const current = Definitions.versionsOf(Jar.kafkaClients(newest)!)

const frames = (classpath: string, versions: (api: Definition.Api) => Definition.Versions): string =>
  run(
    "java",
    ["-cp", classpath, join(here, "Frames.java")],
    apis.map((api) => [api.name, ...versions(api)].join(" ")).join("\n")
  )

const text = [
  JSON.stringify({ origin: `sent by kafka-clients ${newest}, and what it no longer has by ${oldest}; by Frames.java` }),
  frames(oldestClasspath, ({ name, request }) => [request.versions[0], current.get(name)![0] - 1]).trimEnd(),
  frames(newestClasspath, ({ name }) => current.get(name)!)
].join("\n")
writeFileSync(
  join(here, "frames.jsonl.br"),
  brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_LGWIN]: 24 } })
)
