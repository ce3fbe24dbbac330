/**
 * `npm run -s bench -- [--json]`: the speeds that shape the code, each as a ratio against its rival in the same run.
 *
 * It shows how the explorer compares with TLC on one model with the same properties, how fast a graph is replayed, and
 * how judging a history and validating a log grow with their length, and how record batches compare with those of kafkajs.
 * It says nothing about other machines; compare ratios, not seconds.
 */
import { Effect } from "effect"
import * as Graph from "../../src/conformance/Graph.ts"
import * as ModelCheck from "../../src/conformance/ModelCheck.ts"
import * as Replay from "../../src/conformance/Replay.ts"
import * as Runtimes from "../../src/conformance/Runtimes.ts"
import * as Specification from "../../src/conformance/Specification.ts"
import * as Explorer from "../../src/model/Explorer.ts"
import { hasProperty } from "../../src/model/Model.ts"
import { check, Toolchain } from "../../src/tlc/index.ts"
import * as historyChecker from "./historyChecker.ts"
import * as judge from "./judge.ts"
import * as throughput from "./throughput.ts"
import * as transactionalHistoryChecker from "./transactionalHistoryChecker.ts"
import * as validation from "./validation.ts"
import * as wire from "./wire.ts"

/** The largest model that TLC and the explorer share, of either kind. */
const models = { explorer: "base-two-batches", transactionalExplorer: "transactions-two-faults" } as const
const replayed = "base-two-batches"

const timed = <A>(run: () => A): { readonly result: A; readonly seconds: number } => {
  const began = performance.now()
  const result = run()
  return { result, seconds: (performance.now() - began) / 1000 }
}

const load = Effect.fnUntraced(function*(name: string) {
  const { models } = yield* Specification.manifest
  const { config, module } = models.find((candidate) => candidate.name === name)!
  return yield* Specification.load(module, config)
})

/** How often the explorer runs on either side of TLC's run, which takes many times longer. */
const explorations = 3

/**
 * Distinct states per second of the code's explorer and of TLC with two workers, with the same properties watched. The
 * explorer's is the median of runs before and after TLC's, so that one that was disturbed does not count.
 */
const explorer = Effect.fnUntraced(function*(toolchain: Toolchain.Toolchain, model: string) {
  const checked = yield* load(model)
  const properties = Specification.propertiesOf(checked).filter((name) => hasProperty(checked.model, name))
  const explore = (): ReadonlyArray<number> =>
    Array.from({ length: explorations }, () => {
      const { result, seconds } = timed(() => Explorer.explore({ ...checked, properties }))
      return result.states / seconds
    })
  const before = explore()
  const tlc = yield* check(toolchain, { spec: checked.module, config: checked.origin, workers: 2, heap: "2g" })
  const rates = [...before, ...explore()].toSorted((a, b) => a - b)
  const own = rates[explorations - 1]!
  const rival = tlc.distinct / tlc.seconds
  return {
    model,
    states: tlc.distinct,
    statesPerSecond: own,
    slowest: rates[0]!,
    tlcStatesPerSecond: rival,
    ratio: own / rival,
    bar: 5
  }
})

const replays = Effect.fnUntraced(function*(toolchain: Toolchain.Toolchain) {
  const checked = yield* load(replayed)
  const { graph } = yield* ModelCheck.graph(toolchain, checked)
  const edges = Graph.edgeCount(graph)
  const core = timed(() => Replay.replay({ ...checked, graph }))
  const runtime = timed(() => Runtimes.of(checked)!.replay(graph))
  return {
    model: replayed,
    edges,
    coreTransitionsPerSecond: edges / core.seconds,
    bar: 100_000,
    runtimeStepsPerSecond: runtime.result.steps / runtime.seconds
  }
})

const histories = ({ measure }: typeof historyChecker | typeof transactionalHistoryChecker) => {
  // Once before, so that what is measured is compiled.
  measure(10_000)
  const tenth = measure(100_000)
  const whole = measure(1_000_000)
  return {
    operations: whole.operations,
    seconds: whole.seconds,
    bytes: whole.bytes,
    timeForTenTimesTheInput: whole.seconds / tenth.seconds,
    bars: { seconds: 10, bytes: 1e9, timeForTenTimesTheInput: 12 }
  }
}

/** Processes of their own: nothing needs to be compiled before. */
const judgements = () => {
  const tenth = judge.measure(100_000)
  const whole = judge.measure(1_000_000)
  return {
    ...whole,
    timeForTenTimesTheInput: whole.processorSeconds / tenth.processorSeconds,
    bars: { seconds: 10, bytes: 1e9, timeForTenTimesTheInput: 12 }
  }
}

const validations = Effect.fnUntraced(function*() {
  const measure = (lines: number) => Effect.promise(() => validation.measure(lines))
  yield* measure(1_000)
  const tenth = yield* measure(10_000)
  const whole = yield* measure(100_000)
  return {
    ...whole,
    timeForTenTimesTheInput: whole.seconds / tenth.seconds,
    bars: { seconds: 10, timeForTenTimesTheInput: 13 }
  }
})

const recordBatches = Effect.promise(async () => [
  { ...await wire.measure("none"), bar: 2 },
  { ...await wire.measure("gzip"), bar: 2 }
])

const report = await Effect.runPromise(Effect.gen(function*() {
  const toolchain = yield* Toolchain.locate()
  return {
    schemaVersion: 1,
    machine: { node: process.version, tlc: toolchain.version, java: toolchain.javaVersion },
    explorer: yield* explorer(toolchain, models.explorer),
    transactionalExplorer: yield* explorer(toolchain, models.transactionalExplorer),
    replay: yield* replays(toolchain),
    historyChecker: histories(historyChecker),
    transactionalHistoryChecker: histories(transactionalHistoryChecker),
    judge: judgements(),
    validation: yield* validations(),
    recordBatches: yield* recordBatches,
    throughput: throughput.measure(1_000_000)
  }
}))

if (process.argv.includes("--json")) {
  console.log(JSON.stringify(report, undefined, 2))
} else {
  const { historyChecker: judged, replay, transactionalHistoryChecker: judgedToo, validation } = report
  const per = (value: number) => Math.round(value).toLocaleString("en-US")
  console.log(
    [
      ...[report.explorer, report.transactionalExplorer].map((explored) =>
        `explorer, ${explored.model}: ${per(explored.statesPerSecond)} states/s, TLC ${
          per(explored.tlcStatesPerSecond)
        } `
        + `with 2 workers: ${explored.ratio.toFixed(1)} times (bar ${explored.bar}); slowest run ${
          per(explored.slowest)
        }`
      ),
      `core replay: ${per(replay.coreTransitionsPerSecond)} transitions/s (bar ${per(replay.bar)}); `
      + `runtime ${per(replay.runtimeStepsPerSecond)} steps/s`,
      ...[["history checker", judged] as const, ["transactional history checker", judgedToo] as const].map(
        ([name, { bytes, operations, seconds, timeForTenTimesTheInput }]) =>
          `${name}: ${per(operations)} operations in ${seconds.toFixed(1)} s and ${Math.round(bytes / 1e6)} MB; `
          + `ten times the input takes ${timeForTenTimesTheInput.toFixed(1)} times the time`
      ),
      `keos judge: ${per(report.judge.operations)} operations, ${per(report.judge.lines)} lines in `
      + `${report.judge.seconds.toFixed(1)} s (bar ${report.judge.bars.seconds}), `
      + `${report.judge.processorSeconds.toFixed(1)} s of the processor, and ${
        Math.round(report.judge.bytes / 1e6)
      } MB; `
      + `ten times the input takes ${report.judge.timeForTenTimesTheInput.toFixed(1)} times the time`,
      `validation: ${per(validation.lines)} lines, ${Math.round(validation.bytes / 1e6)} MB, ${validation.properties} `
      + `properties in ${validation.seconds.toFixed(1)} s (bar ${validation.bars.seconds}); `
      + `ten times the input takes ${validation.timeForTenTimesTheInput.toFixed(1)} times the time `
      + `(bar ${validation.bars.timeForTenTimesTheInput})`,
      ...report.recordBatches.map(({ bar, compression, ratio, recordsPerSecond, rivalRecordsPerSecond }) =>
        `record batches, compression ${compression}: ${per(recordsPerSecond)} records/s encoded and decoded, kafkajs ${
          per(rivalRecordsPerSecond)
        }: ${ratio.toFixed(1)} times (bar ${bar})`
      ),
      `producer to consumer: ${per(report.throughput.records)} records in ${report.throughput.seconds.toFixed(1)} s, `
      + `${report.throughput.processorSeconds.toFixed(1)} s of the processor, and ${
        Math.round(report.throughput.bytes / 1e6)
      } MB: ${per(report.throughput.recordsPerSecond)} records/s; `
      + `encoding alone kafkajs ${per(report.throughput.kafkajsEncodingAlone.recordsPerSecond)}, `
      + `@platformatic/kafka ${per(report.throughput.platformaticEncodingAlone.recordsPerSecond)}`
    ].join("\n")
  )
}
