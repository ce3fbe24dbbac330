/**
 * The actions of the specification, as the runtime is told them: each with its arguments, which have the names that the
 * same thing has everywhere in the runtime.
 */
import type { Errors, Transaction } from "../../core/index.ts"

/** The parameters of each action, in the order of the specification. */
export const parameters = {
  InitTransactions: ["client"],
  AddPartitionsToTxn: ["client", "partition"],
  SendProduce: ["client", "partition"],
  Commit: ["client"],
  Abort: ["client"],
  JoinGroup: ["client"],
  CommitOffset: ["client"],
  DisconnectCoordinator: ["client"],
  DisconnectLeader: ["client", "partition"],
  ExpireBatch: ["client", "partition"],
  CrashClient: ["client"],
  HandleInitProducerId: ["client", "copy"],
  HandleAddPartitionsToTxn: ["client", "copy"],
  HandleEndTxn: ["client", "copy"],
  HandleVerification: ["client", "partition", "copy"],
  AppendOk: ["id"],
  AppendFail: ["id"],
  AppendUnknown: ["id"],
  CompleteTransaction: ["id"],
  TransactionTimeout: ["id"],
  ExpireTransactionalId: ["id"],
  CoordinatorFailover: ["id", "isWritten"],
  HandleProduce: ["client", "partition", "copy"],
  AppendVerified: ["client", "partition", "copy"],
  HandleMarker: ["id", "partition", "copy"],
  DisconnectMarker: ["id", "partition"],
  Replicate: ["partition"],
  LeaderChange: ["partition"],
  RefuseInitProducerId: ["id", "producerId", "epoch", "error"],
  RefuseAddPartitionsToTxn: ["id", "producerId", "epoch", "partition", "error"],
  RefuseVerification: ["id", "producerId", "epoch", "partition", "error"],
  RefuseEndTxn: ["id", "producerId", "epoch", "result", "version", "error"],
  RefuseBatch: ["partition", "producerId", "epoch", "sequence", "error"],
  RefuseOffsets: ["producerId", "epoch", "generation", "error"],
  RefuseMarker: ["partition", "producerId", "epoch", "coordinatorEpoch", "version", "error"]
} as const satisfies Record<string, ReadonlyArray<keyof Arguments>>

/** What an action can be told. */
interface Arguments {
  /** The number of an instance of the application. */
  readonly client: number
  readonly partition: string
  /** Which copy of the message: `Messages.live`, or the number of the fault with which its sender stopped waiting. */
  readonly copy: number
  /** The number of a transactional id. */
  readonly id: number
  /** The append under way has reached the log. */
  readonly isWritten: boolean
  /** What a stranger asks with, and the error that it is refused with. */
  readonly producerId: number
  readonly epoch: number
  readonly sequence: number
  readonly coordinatorEpoch: number
  readonly generation: number
  readonly result: Transaction.Result
  readonly version: Transaction.Version
  readonly error: Errors.Error
}

export type Tag = keyof typeof parameters

export type Action = {
  readonly [T in Tag]: { readonly _tag: T } & Pick<Arguments, typeof parameters[T][number]>
}[Tag]

const parse = (parameter: keyof Arguments, text: string): string | number | boolean => {
  switch (parameter) {
    case "partition":
    case "result":
    case "error":
      return text
    case "isWritten":
      return text === "TRUE"
    default:
      return Number(text)
  }
}

/** An action with which a stranger asks for what must be refused. It changes nothing. */
export type Refusal = Extract<Action, { readonly error: Errors.Error }>

/** The action that a label names. Throws where the specification has none of that name. */
export const named = (name: string, instance: ReadonlyArray<string | number>): Action => {
  if (!Object.hasOwn(parameters, name)) throw new Error(`there is no action ${name}`)
  const known: ReadonlyArray<keyof Arguments> = parameters[name as Tag]
  const action: Record<string, string | number | boolean> = { _tag: name }
  known.forEach((parameter, place) => {
    action[parameter] = parse(parameter, String(instance[place]))
  })
  return action as unknown as Action
}

/** The arguments of an action as a label has them. */
export const argumentsOf = (action: Action): ReadonlyArray<string | number> => {
  const given: Partial<Arguments> = action
  const known: ReadonlyArray<keyof Arguments> = parameters[action._tag]
  return known.map((parameter) => {
    const value = given[parameter]!
    return typeof value === "boolean" ? String(value).toUpperCase() : value
  })
}
