/**
 * The named actions of the specification, as functions on the world: each is a turn of one role, with all that the network
 * makes of it (`Turns.ts`).
 *
 * Nothing is decided here but what the environment may do: which message arrives next, which fault happens, and what the
 * application wants of its producer.
 */
import * as Choice from "../Choice.ts"
import * as ClientActions from "./ClientActions.ts"
import type { Configuration } from "./Configuration.ts"
import * as CoordinatorActions from "./CoordinatorActions.ts"
import * as LeaderActions from "./LeaderActions.ts"
import * as RefusalActions from "./RefusalActions.ts"
import * as RequestActions from "./RequestActions.ts"
import type { World } from "./World.ts"

/** In the order of the specification's `Next`, with its `Refusals` after it. */
const actions = {
  ...ClientActions.actions,
  ...CoordinatorActions.actions,
  ...LeaderActions.actions,
  ...RefusalActions.actions
} as const

const own = Choice.of<Configuration, World>(actions)
const requested = Choice.of<Configuration, World>(RequestActions.actions)

/** Raw clients have the cluster for themselves. */
const stepsOf = ({ requests }: Configuration) => requests === undefined ? own : requested

/** What the world can do. */
export const successors: typeof own.successors = (configuration, world) =>
  stepsOf(configuration).successors(configuration, world)

/** What one action makes of the world. */
export const apply: typeof own.apply = (configuration, world, call) =>
  stepsOf(configuration).apply(configuration, world, call)

export const actionNames: ReadonlyArray<string> = [...Object.keys(actions), ...Object.keys(RequestActions.actions)]
