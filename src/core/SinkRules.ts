/**
 * The rules of delivery into external storage, each as one named value or function. `base` is the transactional sink,
 * which keeps every promise; a variant replaces some of them (`SinkVariants.ts`).
 *
 * The names are those of the section RULES in `spec/ExternalSink.tla`.
 */
import type { Part } from "./ExternalSink.ts"
import type { Member } from "./SinkMember.ts"

export interface Rules {
  /** The database transactions of a delivery, one after the other, each as what it does. */
  readonly Delivery: ReadonlyArray<ReadonlySet<Part>>
  /** Whether an output takes the place of an earlier one of the same input. */
  readonly HasKeys: boolean
  /** Whether a member may make its `own` generation the fence. */
  readonly MayFence: (current: number, own: number) => boolean
  /** Whether a member may read the offset from which it goes on. */
  readonly MayRestore: (member: Member) => boolean
  /** What a member makes of a connection that was lost before the answer. */
  readonly AfterUnknown: (rules: Rules, member: Member) => Member
}

export const base: Rules = {
  Delivery: [new Set(["FENCE", "SKIP", "OUTPUT", "OFFSET"])],
  HasKeys: false,
  MayFence: (current, own) => own >= current,
  // An older member does not move the offset behind the fence.
  MayRestore: ({ fenced }) => fenced,
  // Safe, since what was written after all is skipped.
  AfterUnknown: (_, member) => ({ ...member, step: 1 })
}
