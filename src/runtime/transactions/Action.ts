/**
 * The actions of the specification, as the runtime is told them: each with its arguments, which have the names that the
 * same thing has everywhere in the runtime.
 */

/** The parameters of each action, in the order of the specification. */
export const parameters = {
  InitTransactions: ["client"],
  AddPartitionsToTxn: ["client", "partition"],
  SendProduce: ["client", "partition"],
  Commit: ["client"],
  Abort: ["client"],
  JoinGroup: ["client"],
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
  LeaderChange: ["partition"]
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
}

export type Tag = keyof typeof parameters

export type Action = {
  readonly [T in Tag]: { readonly _tag: T } & Pick<Arguments, typeof parameters[T][number]>
}[Tag]

const parse = (parameter: keyof Arguments, text: string): string | number | boolean => {
  switch (parameter) {
    case "partition":
      return text
    case "isWritten":
      return text === "TRUE"
    default:
      return Number(text)
  }
}

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
