/**
 * Worlds that some configuration must reach, or the properties would hold because nothing ever went wrong: each under a
 * name, with the sentence that reports use.
 */
import { SinkMember } from "../../core/index.ts"
import type * as Model from "../Model.ts"
import type { Configuration } from "./Configuration.ts"
import type { World } from "./World.ts"
import { awaits } from "./World.ts"

type Witness = Model.Invariant<Configuration, World>

const AllDelivered: Witness = ({ inputs }, { storage }) => storage.stored === inputs

const isZombie = ({ storage }: World, member: SinkMember.Member): boolean =>
  SinkMember.isUp(member) && member.fenced && member.generation < storage.fence

const ZombieWithInput: Witness = (_, world) =>
  world.members.some((member) => isZombie(world, member) && member.batch !== undefined)

const ZombieBehind: Witness = (_, world) =>
  world.members.some((member) =>
    isZombie(world, member) && (member.batch ?? world.storage.stored) < world.storage.stored
  )

const isLate = ({ members }: World, index: number, inFlight: World["inFlight"]): boolean =>
  members.every((member) => !awaits(member, inFlight[index]!))

const LateTransaction: Witness = (_, world) => world.inFlight.some((_, i) => isLate(world, i, world.inFlight))

const SecondCopy: Witness = (_, { inFlight }) =>
  inFlight.some((one, i) => inFlight.slice(0, i).some((other) => one.batch === other.batch))

const CopyOfDone: Witness = (_, { inFlight, storage }) => inFlight.some(({ batch }) => batch < storage.stored)

const Successor: Witness = (_, { storage: { outputs } }) =>
  outputs.some(({ generation }, i) => i > 0 && outputs[i - 1]!.generation < generation)

const OutdatedBeforeFence: Witness = (_, { members, storage: { fence } }) =>
  members.some((member) => SinkMember.isUp(member) && !member.fenced && member.generation < fence)

export const witnesses = {
  AllDelivered,
  ZombieWithInput,
  ZombieBehind,
  LateTransaction,
  SecondCopy,
  CopyOfDone,
  Successor,
  OutdatedBeforeFence
} as const

export type WitnessName = keyof typeof witnesses

/** One sentence for each, for people. */
export const sentences: Readonly<Record<WitnessName, string>> = {
  AllDelivered: "every input is done",
  ZombieWithInput: "a member of an older generation has an input in hand",
  ZombieBehind: "a member of an older generation has an input in hand that its successor has done",
  LateTransaction: "a transaction is on its way that nobody waits for",
  SecondCopy: "two transactions of the same input are on their way",
  CopyOfDone: "a transaction is on its way whose input is done",
  Successor: "a member went on where an older generation had ended",
  OutdatedBeforeFence: "a member is outdated before it has opened the database"
}
