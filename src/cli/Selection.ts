/**
 * Which models a command is about: those that it names, of whatever tier, and otherwise all of a tier.
 */
import { Argument, Flag } from "effect/cli"
import * as Specification from "../conformance/Specification.ts"
import * as Ending from "./Ending.ts"

export const modelArguments = Argument.String("model").pipe(
  Argument.withDescription("names from the manifest, of any tier; all of the tier without any"),
  Argument.variadic()
)

export const tierFlag = Flag.Literals("tier", ["default", "nightly"]).pipe(
  Flag.withDefault("default" as const),
  Flag.withDescription("nightly adds the larger bounds")
)

export const models = (
  what: string,
  all: ReadonlyArray<Specification.Model>,
  tier: Specification.Tier,
  names: ReadonlyArray<string>
) => Ending.select(what, names.length === 0 ? all.filter(Specification.isIn(tier)) : all, ({ name }) => name, names)
