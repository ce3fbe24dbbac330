/**
 * The sink whose outputs have the place of their input as a key: at-least-once, and a duplicate takes the place of the
 * first. It may have outputs of inputs that are not done, and an outdated member may replace a newer output by an older
 * one; neither shows when an output is a function of its input.
 */
import { Layer } from "effect"
import type { SqlClient } from "effect/sql"
import { SinkRules, SinkVariants } from "../../core/index.ts"
import { Sink, type SinkFailure } from "./Sink.ts"
import * as SqlSink from "./SqlSink.ts"

export const layer = (options: SqlSink.Options): Layer.Layer<Sink, SinkFailure, SqlClient.SqlClient> =>
  Layer.effect(Sink, SqlSink.make({ ...SinkRules.base, ...SinkVariants.overrides.Upsert }, options))
