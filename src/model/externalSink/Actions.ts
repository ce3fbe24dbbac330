/**
 * The named actions of the specification, as functions on the world: each is a `step` of a member, of the database, or of
 * both where one answers the other.
 *
 * Nothing is decided here but what the environment may do: who joins and how often, which connection is lost, and which
 * transaction arrives when.
 */
import { ExternalSink, SinkMember } from "../../core/index.ts"
import * as Choice from "../Choice.ts"
import type { Configuration } from "./Configuration.ts"
import type { World } from "./World.ts"
import * as Worlds from "./World.ts"

type Action = Choice.Action<Configuration, World>

/** The world after a turn of a member; `undefined` when it is not possible. */
const turn = (
  { rules }: Configuration,
  world: World,
  index: number,
  input: SinkMember.Input
): World | undefined => {
  const member = SinkMember.step(rules, world.members[index]!, input)
  return member === undefined ? undefined : { ...world, members: Choice.replaced(world.members, index, member) }
}

/** An action of one member, which is its only argument. */
const ofMember = (
  after: (configuration: Configuration, world: World, index: number) => World | undefined
): Action => ({
  forEach: (configuration, world, found) => {
    for (let index = 0; index < configuration.members; index++) {
      const next = after(configuration, world, index)
      if (next !== undefined) found(next, [index + 1])
    }
  }
})

const isIdle = ({ inFlight, members }: World, index: number): boolean =>
  !inFlight.some((transaction) => Worlds.awaits(members[index]!, transaction))

const Join = ofMember((configuration, world, index) => {
  if (world.generation >= configuration.maxGeneration) return undefined
  const generation = world.generation + 1
  const joined = turn(configuration, world, index, { _tag: "Join", generation })
  return joined === undefined ? undefined : { ...joined, generation }
})

const Fence = ofMember((configuration, world, index) => {
  const { generation } = world.members[index]!
  const [storage, answer] = ExternalSink.step(configuration.rules, world.storage, { _tag: "Fence", generation })
  return turn(configuration, { ...world, storage }, index, { _tag: "Fence", answer })
})

const Restore = ofMember((configuration, world, index) =>
  turn(configuration, world, index, { _tag: "Restore", stored: world.storage.stored })
)

const Poll = ofMember((configuration, world, index) =>
  turn(configuration, world, index, { _tag: "Poll", end: configuration.inputs })
)

const Submit = ofMember((_, world, index) => {
  const transaction = SinkMember.submit(world.members[index]!)
  if (transaction === undefined || !isIdle(world, index)) return undefined
  return { ...world, inFlight: Worlds.inOrder([...world.inFlight, transaction]) }
})

const Disconnect = ofMember((configuration, world, index) =>
  !isIdle(world, index) && world.members[index]!.connection < configuration.maxConnections
    ? turn(configuration, world, index, { _tag: "Disconnect" })
    : undefined
)

const Crash = ofMember((configuration, world, index) => turn(configuration, world, index, { _tag: "Crash" }))

const Execute: Action = {
  forEach: (configuration, world, found) => {
    for (const transaction of world.inFlight) {
      const input = { _tag: "Execute", transaction } as const
      const [storage, answer] = ExternalSink.step(configuration.rules, world.storage, input)
      const inFlight = world.inFlight.filter((other) => other !== transaction)
      const executed: World = { ...world, storage, inFlight }
      const index = world.members.findIndex((member) => Worlds.awaits(member, transaction))
      const next = index < 0 ? executed : turn(configuration, executed, index, { _tag: "Answer", answer })!
      found(next, [transaction.generation, transaction.connection])
    }
  }
}

/** In the order of the specification's `Next`. */
export const actions = {
  Join,
  Fence,
  Restore,
  Poll,
  Submit,
  Disconnect,
  Crash,
  Execute
} as const satisfies Record<string, Action>

/** What the world can do, and what one action makes of it. */
export const { apply, successors } = Choice.of<Configuration, World>(actions)
