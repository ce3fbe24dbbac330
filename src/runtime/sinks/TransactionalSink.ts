/**
 * The exactly-once sink: outputs and offsets are written in one transaction of the database, which refuses members of an
 * older generation and skips what has been written before. So a delivery may be repeated.
 */
import { Layer } from "effect"
import type { SqlClient } from "effect/sql"
import { SinkRules } from "../../core/index.ts"
import { Sink, type SinkFailure } from "./Sink.ts"
import * as SqlSink from "./SqlSink.ts"

export const layer = (options: SqlSink.Options): Layer.Layer<Sink, SinkFailure, SqlClient.SqlClient> =>
  Layer.effect(Sink, SqlSink.make(SinkRules.base, options))
