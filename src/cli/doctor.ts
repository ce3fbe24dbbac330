/**
 * `keos doctor`: what this machine has, and how to get the rest.
 */
import { Effect, Result } from "effect"
import { Command } from "effect/cli"
import * as Specification from "../conformance/Specification.ts"
import * as Traces from "../conformance/Traces.ts"
import { Toolchain } from "../tlc/index.ts"
import * as Ending from "./Ending.ts"
import * as Engine from "./Engine.ts"
import * as Output from "./Output.ts"

interface Finding {
  readonly what: string
  readonly found: boolean
  readonly detail: string
}

export const doctor = Command.make(
  "doctor",
  { json: Engine.jsonFlag, jar: Engine.jarFlag },
  ({ jar, json }) =>
    Effect.gen(function*() {
      const findings: Array<Finding> = [{ what: "Node", found: true, detail: process.version }]
      const options = jar._tag === "Some" ? { jar: jar.value } : {}
      const located = yield* Effect.result(Toolchain.locate(options))
      if (Result.isSuccess(located)) {
        const { compiler, jar: path, java, javaVersion, version } = located.success
        findings.push(
          { what: "Java", found: true, detail: `${javaVersion} (${java})` },
          {
            what: "Java compiler",
            found: compiler,
            detail: compiler ? "state graphs carry action arguments" : "install a JDK to compare action arguments"
          },
          { what: "TLC", found: true, detail: `${version} (${Specification.shown(path)})` }
        )
      } else {
        findings.push({ what: "TLC", found: false, detail: `${located.failure.message}\n${Engine.advice}` })
      }
      const manifest = yield* Effect.result(Specification.manifest)
      findings.push({
        what: "specification",
        found: Result.isSuccess(manifest),
        detail: Result.isSuccess(manifest)
          ? `${manifest.success.models.length} models, ${manifest.success.exhibits.length} exhibits`
          : manifest.failure.message
      })
      const committed = Result.isSuccess(manifest) ? manifest.success.models.filter((model) => model.committed) : []
      for (const model of committed) {
        const graph = yield* Effect.result(Effect.gen(function*() {
          return yield* Traces.read(model.name, yield* Specification.load(model.module, model.config))
        }))
        findings.push({
          what: `graph ${model.name}`,
          found: Result.isSuccess(graph),
          detail: Result.isSuccess(graph) ? `${graph.success.sources.length} edges` : graph.failure.message
        })
      }
      yield* json
        ? Output.json({ schemaVersion: 1, findings })
        : Output.print(findings.map(({ detail, found, what }) => `${found ? "✔" : "✘"} ${what}: ${detail}`))
      if (!findings.every(({ found }) => found)) {
        return yield* new Ending.NoVerdict({ message: "something is missing; see above" })
      }
      return undefined
    })
).pipe(Command.withDescription("Show what was found on this machine, and how to get what is missing"))
