/**
 * The messages of the cluster as long as somebody waits for an answer, or could have: on their way, or being worked on.
 */
import type { Partition, TransactionalProducer, TransactionCoordinator } from "../../core/index.ts"

/** The copy that its sender waits for. */
export const live = 0

interface Delivery {
  /** `live`, or the number of the fault with which the sender stopped waiting. */
  readonly copy: number
  /** The broker that it is sent to. */
  readonly broker: Partition.Broker
}

/** A request to a coordinator. */
export interface SentRequest extends Delivery {
  readonly client: number
  /** On the way, or at the coordinator, which waits for its log. */
  readonly stage: "sent" | "appending"
  readonly request: TransactionalProducer.Request
}

/** A request to a leader. */
export interface SentProduce extends Delivery {
  readonly client: number
  /**
   * On the way; at the leader, which asks the coordinator; at the coordinator, which waits for its log; agreed to; or at
   * the leader, which waits for the follower.
   */
  readonly stage: "sent" | "verifying" | "adding" | "verified" | "appended"
  /** The leader has given it a guard, and still knows of it. */
  readonly guard: boolean
  /** Where it is in the log, or `Sequence.none`. */
  readonly offset: number
  readonly produce: TransactionalProducer.Produce
}

/** A marker from a coordinator to a leader. */
export interface SentMarker extends Delivery {
  /** The transactional id whose coordinator sent it. */
  readonly id: number
  /** On the way, or at the leader, which waits for the follower. */
  readonly stage: "sent" | "appended"
  /** Where it is in the log, or `Sequence.none`. */
  readonly offset: number
  readonly marker: TransactionCoordinator.Marker
}

/** What is known of a message by its correlation id, which no two messages of a run have. */
export interface Exchanges<Sent> {
  /** In the order of sending. */
  readonly all: () => ReadonlyArray<Sent>
  readonly entries: () => Iterable<readonly [correlation: number, sent: Sent]>
  readonly get: (correlation: number) => Sent | undefined
  /** The correlation id of the first that matches. */
  readonly find: (matches: (sent: Sent) => boolean) => number | undefined
  readonly open: (sent: Sent) => void
  readonly change: (correlation: number, changes: Partial<Sent>) => void
  /** Nobody works on it any more. What it was. */
  readonly close: (correlation: number) => Sent | undefined
}

/** No messages. */
export const makeExchanges = <Sent>(): Exchanges<Sent> => {
  const known = new Map<number, Sent>()
  let next = 1
  let list: ReadonlyArray<Sent> | undefined = []
  return {
    all: () => list ??= [...known.values()],
    entries: () => known,
    get: (correlation) => known.get(correlation),
    find: (matches) => {
      for (const [correlation, sent] of known) if (matches(sent)) return correlation
      return undefined
    },
    open: (sent) => {
      known.set(next++, sent)
      list = undefined
    },
    change: (correlation, changes) => {
      known.set(correlation, { ...known.get(correlation)!, ...changes })
      list = undefined
    },
    close: (correlation) => {
      const sent = known.get(correlation)
      if (known.delete(correlation)) list = undefined
      return sent
    }
  }
}
