/**
 * The runtime of the fetch path, held still.
 */
import type { Configuration } from "../../model/readCommitted/Configuration.ts"
import { model } from "../../model/readCommitted/Model.ts"
import type { World } from "../../model/readCommitted/World.ts"
import { ReadCommitted } from "../../runtime/index.ts"
import type { Driver } from "../Driver.ts"
import type { Call } from "../Graph.ts"

/** The action of the runtime that a call names. */
const actionOf = ({ action, arguments: [first, second] }: Call): ReadCommitted.Controlled.Action => {
  switch (action) {
    case "WriteRecord":
      return { _tag: "WriteRecord", producerId: Number(first) }
    case "WriteMarker":
      return { _tag: "WriteMarker", producerId: Number(first), result: second === "COMMIT" ? "COMMIT" : "ABORT" }
    case "ParkFetch":
      return { _tag: "ParkFetch" }
    case "FetchRecords":
    case "CompleteFetch":
      return { _tag: action, count: Number(first) }
    default:
      throw new Error(`the runtime has no ${action}`)
  }
}

export const driver: Driver<Configuration, World> = {
  model,
  start: ({ rules }) => {
    const controlled = ReadCommitted.Controlled.make({ rules })
    return {
      perform: (call) => controlled.perform(actionOf(call)),
      project: controlled.snapshot,
      close: controlled.close
    }
  }
}
