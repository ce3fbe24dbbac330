/**
 * What a client learns of its request: the answer, as far as the request has one, or that the connection ended instead.
 */
import { type Errors, Sequence } from "../../../core/index.ts"
import type { Told } from "../Asking.ts"
import type { Request } from "./Race.ts"

export type Said =
  | {
    readonly error: Errors.Error | number
    readonly producerId?: number
    readonly epoch?: number
    readonly offset?: number
  }
  /** The connection ended before the answer. */
  | { readonly closed: true }
  /** What came is no answer, or nothing came and the connection stood. */
  | { readonly failed: string }

export const closed: Said = { closed: true }

/** What of an answer counts for a request: an error has nothing beside it. */
export const of = (request: Request, { epoch, error, offset, producerId }: Told): Said => {
  if (error !== "NONE") return { error }
  switch (request._tag) {
    case "InitProducerId":
      return { error, producerId, epoch }
    case "EndTxn":
      return request.version === 2 ? { error, producerId, epoch } : { error }
    case "Produce":
      return request.position === "none" ? { error } : { error, offset }
    case "AddPartitionsToTxn":
      return { error }
  }
}

/** An answer for a person. */
export const textOf = (said: Said): string => {
  if ("closed" in said) return "no answer, the connection ended"
  if ("failed" in said) return said.failed
  const { epoch, error, offset = Sequence.none, producerId } = said
  if (producerId !== undefined) return `${error} (producer ${producerId}, epoch ${epoch})`
  return offset === Sequence.none ? String(error) : `${error} (offset ${offset})`
}
