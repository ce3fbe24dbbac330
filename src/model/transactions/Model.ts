/**
 * Transactions as a model: `spec/Transactions.tla` in code.
 */
import type { Model } from "../Model.ts"
import * as Actions from "./Actions.ts"
import { codec } from "./Codec.ts"
import type { Configuration } from "./Configuration.ts"
import { fromConstants } from "./Configuration.ts"
import { packing } from "./Packing.ts"
import { invariants, leftToTlc, sentences, stepProperties } from "./Properties.ts"
import * as Witnesses from "./Witnesses.ts"
import type { World } from "./World.ts"
import { initial } from "./World.ts"

export const model: Model<Configuration, World> = {
  ...codec,
  specification: "Transactions",
  configuration: fromConstants,
  initial,
  successors: Actions.successors,
  apply: Actions.apply,
  actionNames: Actions.actionNames,
  invariants,
  stepProperties,
  witnesses: Witnesses.witnesses,
  sentences: { ...sentences, ...Witnesses.sentences },
  leftToTlc,
  packing
}
