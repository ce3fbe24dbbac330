/**
 * Scenarios of the fetch path, walked on the Effect runtime: after every step its state must be that of the model, and what
 * the application was given must keep what read_committed promises.
 */
import type * as Model from "../../model/Model.ts"
import * as Models from "../../model/Model.ts"
import type { Configuration } from "../../model/readCommitted/Configuration.ts"
import { model } from "../../model/readCommitted/Model.ts"
import type { World } from "../../model/readCommitted/World.ts"
import type { Asked, Judgement, Trial } from "../Histories.ts"
import * as Reach from "../Reach.ts"
import * as StateDiff from "../StateDiff.ts"
import { driver } from "./Driver.ts"
import * as Scenario from "./Scenario.ts"

const properties = Object.keys(model.invariants)

/** The step that a pick means; each action is as likely as another, however many arguments it takes. */
const stepOf = (
  steps: ReadonlyArray<Model.Step<World>>,
  { action, instance }: Scenario.Pick
): Model.Step<World> => {
  const instances = [...Map.groupBy(steps, (step) => step.action).values()]
  const chosen = instances[action % instances.length]!
  return chosen[instance % chosen.length]!
}

const run = (
  rules: Configuration["rules"],
  { parts: { fetchSize, maxEntries, picks, producers } }: Scenario.Scenario,
  { reaching = false, watched = [] }: Asked
): Judgement => {
  const configuration: Configuration = { producers, maxEntries, fetchSize, rules }
  const controlled = driver.start(configuration)
  const observer = Reach.observe(model, configuration)
  const taken: Array<string> = []
  const trace: Array<string> = []
  const violated = new Map<string, string>()
  let seen: Judgement["seen"]
  let broken: string | undefined
  let world = model.initial(configuration)
  for (const pick of picks) {
    const steps = model.successors(configuration, world)
    if (steps.length === 0) break
    const step = stepOf(steps, pick)
    const label = Models.render(step)
    const isPossible = controlled.perform({ action: step.action, arguments: step.arguments.map(String) })
    world = controlled.project(step.world)
    taken.push(label)
    if (reaching) trace.push(`${label}: position ${world.position}, delivered ${world.delivered.join(" ")}`)
    const [difference] = StateDiff.between(
      model.encode(configuration, step.world),
      model.encode(configuration, world)
    )
    if (!isPossible || difference !== undefined) {
      broken = `${label}: ${difference === undefined ? "not possible" : `${difference.path} is another`}`
      break
    }
    if (reaching) observer.stepped(step, world)
    for (const [property, holds] of Object.entries(model.invariants)) {
      if (violated.has(property) || holds(configuration, world)) continue
      violated.set(property, `${label} is step ${taken.length}, and ${property} does not hold behind it`)
      if (watched.includes(property)) {
        seen ??= { property, sentence: `line ${taken.length}: ${label} violates ${property}` }
      }
    }
  }
  controlled.close()
  const operations = taken.filter((label) => label.startsWith("WriteRecord")).length
  const reach = reaching ? observer.reach() : undefined
  return {
    operations,
    calls: taken.filter((label) => !label.startsWith("CompleteFetch")).length,
    violated,
    broken,
    ...(seen === undefined ? {} : { seen }),
    ...(reach === undefined ? {} : { reach, actions: reach.actions, trace: trace.join("\n") })
  }
}

/** Walks under the rules of a configuration, at sizes of their own. */
export const trial = ({ rules }: Configuration): Trial<Scenario.Scenario> => ({
  properties,
  scenarios: Scenario.arbitrary,
  of: (parts) => new Scenario.Scenario(parts as Scenario.Parts),
  run: (scenario, asked = {}) => run(rules, scenario, asked)
})
