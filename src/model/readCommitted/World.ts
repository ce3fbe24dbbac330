/**
 * The world that the specification describes, built from the core: a partition, a consumer of it, and what the
 * application was given.
 */
import { Fetch } from "../../core/index.ts"

export interface World {
  readonly partition: Fetch.Partition
  /** The offset that the consumer fetches next. */
  readonly position: number
  /** Ghost: the offsets of the records given to the application, in order. */
  readonly delivered: ReadonlyArray<number>
}

export const initial = (): World => ({ partition: Fetch.initial, position: 0, delivered: [] })
