/**
 * Sinks that many applications have, for comparison: output and offset one after the other, which loses or duplicates
 * when something fails in between, and a single transaction that anybody may send at any time.
 */
import { Layer } from "effect"
import type { SqlClient } from "effect/sql"
import { SinkRules, SinkVariants } from "../../core/index.ts"
import { Sink, type SinkFailure } from "./Sink.ts"
import * as SqlSink from "./SqlSink.ts"

const layerOf = (override: SinkVariants.Override) =>
(
  options: SqlSink.Options
): Layer.Layer<Sink, SinkFailure, SqlClient.SqlClient> =>
  Layer.effect(Sink, SqlSink.make({ ...SinkRules.base, ...override }, options))

/** At-least-once: duplicates what was written when the offset was not. */
export const layerOutputFirst = layerOf(SinkVariants.overrides.OutputFirst)

/** At-most-once: loses what was not written when the offset was. */
export const layerOffsetFirst = layerOf(SinkVariants.overrides.OffsetFirst)

/** One transaction that looks at nothing: outdated members and late copies duplicate. */
export const layerUnfenced = layerOf(SinkVariants.overrides.Unfenced)
