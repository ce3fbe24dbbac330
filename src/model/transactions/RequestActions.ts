/**
 * The named actions of `spec/TransactionRequests.tla`: each is one request of any client with all that follows from it.
 * The last argument is the error of the answer. What changes nothing is always possible; what does takes one of the
 * requests that are left (`FaultBudget`).
 */
import { Equal } from "effect"
import { memoize } from "effect/Function"
import { Transaction } from "../../core/index.ts"
import type * as Choice from "../Choice.ts"
import type { Configuration } from "./Configuration.ts"
import * as Requests from "./Requests.ts"
import type { World } from "./World.ts"

type Action = Choice.Action<Configuration, World>
type Arguments = Parameters<Choice.Found<World>>[1]

/** What one request can change. */
const changing = ({ coordinators, nextProducerId, partitions, transactionStates }: World) => [
  coordinators,
  nextProducerId,
  partitions,
  transactionStates
]

/** The world after a request, if there is one left where it changes anything. */
export const spent = (before: World, after: World): World | undefined => {
  if (Equal.equals(changing(before), changing(after))) return before
  return before.faults > 0 ? { ...after, faults: before.faults - 1 } : undefined
}

const results = ["COMMIT", "ABORT"] as const
const coordinatorEpochs = [0, 1] as const

/** The transactional ids with every identity but that of nobody. */
const claims = (
  { requests, transactionalIds }: Configuration,
  identities: (identity: Requests.Identity) => boolean = (identity) => identity !== "none"
): ReadonlyArray<{ readonly id: number; readonly identity: Requests.Identity }> =>
  Array.from({ length: transactionalIds }, (_, i) => i + 1).flatMap((id) =>
    (requests?.identities ?? []).filter(identities).map((identity) => ({ id, identity }))
  )

/** Every request of a kind, with the arguments that name it. */
type Listing<Kind extends Requests.Kind> = (
  configuration: Configuration
) => ReadonlyArray<{ readonly request: Requests.Request & { readonly _tag: Kind }; readonly arguments: Arguments }>

const versionsOf = ({ requests }: Configuration): ReadonlyArray<Transaction.Version> => requests?.versions ?? []

const initProducerIds: Listing<"InitProducerId"> = (configuration) =>
  claims(configuration, () => true).map((claim) => ({
    request: { _tag: "InitProducerId", ...claim },
    arguments: [claim.id, claim.identity]
  }))

/** Version 2 has nobody ask for this by itself. */
const additions: Listing<"AddPartitionsToTxn"> = (configuration) =>
  versionsOf(configuration).includes(1)
    ? perPartition(configuration).map(({ claim, partition }) => ({
      request: { _tag: "AddPartitionsToTxn", ...claim, partition },
      arguments: [claim.id, claim.identity, partition]
    }))
    : []

const perPartition = (configuration: Configuration) =>
  claims(configuration).flatMap((claim) => configuration.partitions.map((partition) => ({ claim, partition })))

const verifications: Listing<"VerifyPartition"> = (configuration) =>
  perPartition(configuration).map(({ claim, partition }) => ({
    request: { _tag: "VerifyPartition", ...claim, partition },
    arguments: [claim.id, claim.identity, partition]
  }))

const ends: Listing<"EndTxn"> = (configuration) =>
  claims(configuration).flatMap((claim) =>
    results.flatMap((result) =>
      versionsOf(configuration).map((version) => ({
        request: { _tag: "EndTxn" as const, ...claim, result, version },
        arguments: [claim.id, claim.identity, result, version]
      }))
    )
  )

/** Idempotent producers send batches of several records too, and sequences around the last. */
const positionsOf = ({ requests }: Configuration, partition: string): ReadonlyArray<Requests.Position | "none"> => {
  if (partition === Transaction.groupPartition) return ["none"]
  return requests?.idempotent === true ? [...Requests.positions, "last"] : Requests.positions
}

const recordsOf = ({ requests }: Configuration): ReadonlyArray<number> => requests?.idempotent === true ? [1, 2] : [1]

const batches: Listing<"Produce"> = (configuration) =>
  perPartition(configuration).flatMap(({ claim, partition }) =>
    positionsOf(configuration, partition).flatMap((position) =>
      versionsOf(configuration).flatMap((version) =>
        recordsOf(configuration).map((records) => ({
          request: { _tag: "Produce" as const, ...claim, partition, position, records, version },
          arguments: [claim.id, claim.identity, partition, position, version]
        }))
      )
    )
  )

const markers: Listing<"WriteTxnMarker"> = (configuration) =>
  perPartition(configuration).flatMap(({ claim, partition }) =>
    results.flatMap((result) =>
      coordinatorEpochs.flatMap((coordinatorEpoch) =>
        versionsOf(configuration).map((version) => ({
          request: { _tag: "WriteTxnMarker" as const, ...claim, partition, result, coordinatorEpoch, version },
          arguments: [claim.id, claim.identity, partition, result, coordinatorEpoch, version]
        }))
      )
    )
  )

const timeouts: Listing<"TransactionTimeout"> = ({ transactionalIds }) =>
  Array.from({ length: transactionalIds }, (_, i) => ({
    request: { _tag: "TransactionTimeout", id: i + 1 },
    arguments: [i + 1]
  }))

const listings: { readonly [Kind in Requests.Kind]: Listing<Kind> } = {
  InitProducerId: initProducerIds,
  AddPartitionsToTxn: additions,
  VerifyPartition: verifications,
  EndTxn: ends,
  Produce: batches,
  WriteTxnMarker: markers,
  TransactionTimeout: timeouts
}

/** The requests of a configuration, in no world in particular. */
export const requestsOf = (configuration: Configuration): ReadonlyArray<Requests.Request> =>
  Requests.kinds.filter((kind) => configuration.requests?.kinds.has(kind)).flatMap((kind) =>
    listings[kind](configuration).map(({ request }) => request)
  )

const action = (kind: Requests.Kind): Action => {
  /** The requests are the same in every world. */
  const listed = memoize<Configuration, ReturnType<Listing<Requests.Kind>>>(listings[kind])
  return {
    forEach: (configuration, world, found) => {
      if (configuration.requests?.kinds.has(kind) !== true) return
      for (const { arguments: called, request } of listed(configuration)) {
        const performed = Requests.perform(configuration, world, request)
        const next = performed === undefined ? undefined : spent(world, performed.world)
        if (next !== undefined) {
          found(next, kind === "TransactionTimeout" ? called : [...called, performed!.answer.error])
        }
      }
    }
  }
}

/** In the order of the specification's `RequestNext`. */
export const actions = {
  RequestInitProducerId: action("InitProducerId"),
  RequestAddPartitionsToTxn: action("AddPartitionsToTxn"),
  RequestVerification: action("VerifyPartition"),
  RequestEndTxn: action("EndTxn"),
  RequestProduce: action("Produce"),
  RequestWriteTxnMarker: action("WriteTxnMarker"),
  RequestTimeout: action("TransactionTimeout")
} as const satisfies Record<string, Action>
