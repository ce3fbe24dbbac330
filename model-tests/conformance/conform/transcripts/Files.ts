/** Where the committed transcripts are. */
import { join } from "node:path"
import * as Specification from "../../../../src/conformance/Specification.ts"

/** The brokers that there is a transcript of. */
export const targets: ReadonlyArray<string> = [
  "apache-kafka@4.4.0,transaction.version=2",
  "apache-kafka@4.4.0,transaction.version=1",
  "apache-kafka@4.0.1,transaction.version=2",
  "apache-kafka@3.9.1,transaction.version=0"
]

export const folder = join(Specification.home, "traces", "captured")

/** `apache-kafka@4.4.0,transaction.version=2` is in `apache-kafka-4.4.0-transaction.version-2.ndjson.gz`. */
export const pathOf = (target: string): string => join(folder, `${target.replaceAll(/[@,=]/g, "-")}.ndjson.gz`)

export const again = (target: string): string => `node model-tests/conformance/conform/transcripts/capture.ts ${target}`
