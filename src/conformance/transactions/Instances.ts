/**
 * Which instances of the applications fence which, as far as a history can tell.
 *
 * An instance fences another client's of the same transactional id if it called `initTransactions()` after the other one's
 * call had returned. Calls that overlap have no order to be judged by. What a client did before it started again is no
 * zombie of another instance, and not judged.
 */
import { Column } from "../Columns.ts"
import { none } from "./Ledger.ts"

/** An instance, numbered in the order in which their calls returned. */
export type Instance = number

/** Of the instances that were met: the newest, and the newest of another client. */
export class Newest {
  first: Instance = none
  second: Instance = none
}

export interface Instances {
  /** A client's call returned; the instance that it is now. `called` and `returned` are times. */
  readonly add: (client: number, transactionalId: number, called: number, returned: number) => Instance
  readonly clientOf: (instance: Instance) => number
  readonly transactionalIdOf: (instance: Instance) => number
  /** One that fences this instance by now, or `none`. */
  readonly fencerOf: (instance: Instance) => Instance
  /** Counts an instance among those that were met; all of one transactional id. */
  readonly meet: (met: Newest, instance: Instance) => void
  /** One that was met and fences this instance, or `none`. */
  readonly fencerAmong: (met: Newest, instance: Instance) => Instance
}

/** Starts without instances. */
export const make = (): Instances => {
  const clients = new Column()
  const ids = new Column()
  const calls = new Column()
  const returns = new Column()
  const all = new Map<number, Newest>()

  const isNewer = (instance: Instance, other: Instance): boolean =>
    other === none || calls.at(instance) > calls.at(other)

  const meet = (met: Newest, instance: Instance): void => {
    const { first, second } = met
    if (instance === first || instance === second) return
    const client = clients.at(instance)
    if (isNewer(instance, first)) {
      met.first = instance
      if (first !== none && clients.at(first) !== client) met.second = first
    } else if (clients.at(first) !== client && isNewer(instance, second)) {
      met.second = instance
    }
  }

  const fencerAmong = ({ first, second }: Newest, instance: Instance): Instance => {
    const isOwn = first !== none && clients.at(first) === clients.at(instance)
    const newest = isOwn ? second : first
    return newest !== none && calls.at(newest) > returns.at(instance) ? newest : none
  }

  return {
    add: (client, transactionalId, called, returned) => {
      const instance = clients.length
      clients.push(client)
      ids.push(transactionalId)
      calls.push(called)
      returns.push(returned)
      const newest = all.get(transactionalId) ?? new Newest()
      all.set(transactionalId, newest)
      meet(newest, instance)
      return instance
    },
    clientOf: (instance) => clients.at(instance),
    transactionalIdOf: (instance) => ids.at(instance),
    fencerOf: (instance) => fencerAmong(all.get(ids.at(instance))!, instance),
    meet,
    fencerAmong
  }
}
