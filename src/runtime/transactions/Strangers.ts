/**
 * Somebody outside of the cluster, who asks coordinators and leaders for what no client of it would ask. What is refused
 * changes nothing, and is an action of the specification; what would not be refused is not asked.
 */
import { type Errors, type Transaction, TransactionalPartition, TransactionCoordinator } from "../../core/index.ts"
import type { Action, Refusal } from "./Action.ts"
import type { Hosts } from "./Hosts.ts"
import * as Probe from "./Probe.ts"

type Without<A, K extends PropertyKey> = A extends unknown ? Omit<A, K> : never

/** What is asked, and of whom. */
export type Question = Without<Refusal, "error">

/** The answer of whom it is put to, were it asked now, if that is an error and all that comes of it. */
const errorOf = (context: Transaction.Context, hosts: Hosts, question: Refusal): Errors.Error | undefined => {
  switch (question._tag) {
    case "RefuseInitProducerId":
    case "RefuseAddPartitionsToTxn":
    case "RefuseEndTxn":
    case "RefuseVerification": {
      const coordinator = hosts.coordinator(question.id)
      const input = Probe.ofCoordinator(question, coordinator.broker, hosts.freeProducerId())
      const [next, outputs] = TransactionCoordinator.step(context, coordinator, input) ?? [undefined, []]
      const [output, ...others] = outputs
      return next === coordinator && output?._tag === "Answer" && others.length === 0 ? output.answer.error : undefined
    }
    default: {
      const partition = hosts.partition(Probe.partitionOf(question))
      const input = Probe.ofLeader(question, partition.leader, hosts.group.generation())
      const [next, outputs] = TransactionalPartition.step(context, partition, input) ?? [undefined, []]
      const [output, ...others] = outputs
      return next === partition && output?._tag === "Answer" && others.length === 0 ? output.error : undefined
    }
  }
}

/** The action that asking is, if it is refused. */
export const refusalOf = (context: Transaction.Context, hosts: Hosts, question: Question): Action | undefined => {
  const error = errorOf(context, hosts, { ...question, error: "NONE" })
  return error === undefined || error === "NONE" ? undefined : { ...question, error }
}
