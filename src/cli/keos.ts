/**
 * `keos`: the command line.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Effect, Exit, Layer } from "effect"
import { CliConfig, CliOutput, Command, GlobalFlag } from "effect/cli"
import { bugs } from "./bugs.ts"
import { check } from "./check.ts"
import { conform } from "./conform.ts"
import { demo } from "./demo.ts"
import { describe } from "./describe.ts"
import { doctor } from "./doctor.ts"
import * as Ending from "./Ending.ts"
import { explore } from "./explore.ts"
import { judge } from "./judge.ts"
import { list } from "./list.ts"
import * as ProgressLine from "./ProgressLine.ts"
import { replay } from "./replay.ts"
import { report } from "./report.ts"
import { schema } from "./schema.ts"
import { validate } from "./validate.ts"
import { verify } from "./verify.ts"

const version = "0.1.0"

const keos = Command.make("keos").pipe(
  Command.withDescription("Kafka's delivery guarantees: specified, implemented, and proved to agree"),
  Command.withSubcommands([
    verify,
    check,
    replay,
    explore,
    validate,
    judge,
    conform,
    list,
    describe,
    report,
    demo,
    bugs,
    schema,
    doctor
  ])
)

/** Help goes to stdout when it is asked for; a wrong command line gets its message on stderr and nothing else. */
const presenter = CliOutput.layerPresenter({
  present: (event) =>
    event._tag === "InvalidInvocation"
      ? Effect.sync(() => {
        const [error] = event.errors
        process.stderr.write(`keos: ${error?.message ?? "wrong usage"}\nSee '${event.commandPath.join(" ")} --help'.\n`)
      })
      : CliOutput.defaultPresenter.present(event)
})

const builtIns = GlobalFlag.BuiltIns.filter((flag) => flag !== GlobalFlag.Wizard)

const layer = Layer.mergeAll(NodeServices.layer, presenter, CliConfig.layer({ builtIns }), ProgressLine.layer)

/** A reader that has gone away, as `head` does, is no error. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(Ending.codes.positive)
})

Command.runWith(keos, { version })(process.argv.slice(2)).pipe(
  Effect.provide(layer),
  Effect.exit,
  Effect.flatMap(Ending.conclude),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    teardown: (exit, onExit) => {
      ProgressLine.finish()
      // A command is over when it has said everything, whatever is left behind of processes that it let die.
      if (Exit.isSuccess(exit)) return process.stdout.write("", () => process.exit(Number(exit.value)))
      onExit(Cause.hasInterrupts(exit.cause) ? Ending.codes.interrupted : Ending.codes.internal)
    }
  })
)
