/**
 * Delivery into external storage: sinks in SQL databases, and what a member of a consumer group does with one.
 */
export * as Controlled from "./Controlled.ts"
export * as NaiveSink from "./NaiveSink.ts"
export * as Sink from "./Sink.ts"
export * as SinkMember from "./SinkMember.ts"
export * as SqliteClient from "./SqliteClient.ts"
export * as SqlSink from "./SqlSink.ts"
export * as TransactionalSink from "./TransactionalSink.ts"
export * as UpsertSink from "./UpsertSink.ts"
