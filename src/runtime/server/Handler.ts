/**
 * What handles one kind of request: from its message, in any version that is served, to the message of the answer. The
 * codec leaves out what the version does not have.
 */
import { Data, type Effect } from "effect"
import { Errors } from "../../core/index.ts"
import type { Definition, Messages } from "../../wire/index.ts"
import type * as Cluster from "../brokers/Cluster.ts"
import type { Name } from "./Versions.ts"

type Apis = { readonly [Api in (typeof Messages.apis)[number] as Api["name"]]: Api }

export type Message<N extends Name> = Definition.Message<Apis[N]["request"]["fields"]>

export type Answer<N extends Name> = Definition.Input<Apis[N]["response"]["fields"]>

/** Who asks, beside the message. */
export interface Asked {
  readonly version: number
  readonly clientId: string | null
}

/** The connection is closed, and that is the answer. */
export class Hangup extends Data.TaggedError("Hangup")<{ readonly reason: string }> {}

/** No answer goes out, and the connection stays. */
export const silence = "silence"

export type Handler<N extends Name> = (
  message: Message<N>,
  asked: Asked
) => Effect.Effect<Answer<N> | typeof silence, Hangup>

export type Handlers = { readonly [N in Name]: Handler<N> }

/** Where the broker is, for clients. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** What handlers stand on. */
export interface Served {
  readonly brokers: Cluster.Brokers
  readonly address: Address
}

/** There is one broker, and this is its number. */
export const node = 1

/** It leads every partition, and always has. */
export const leaderEpoch = 0

export const codeOf = (error: Errors.Error): number => Errors.codes[error]

export const notThrottled = { throttleTimeMs: 0 } as const
