/**
 * Cases that a target is known to fail, in a file that belongs to it: a line has a pattern of `Selection.ts`, and behind it
 * the reason. They are asked like all others; one that passes is a failure, so that the file tells the truth.
 *
 *     # comments and empty lines are left out
 *     EndTxn-v2/CompleteCommit/previous/COMMIT   the retry is refused, see tracker/1234
 */
import { Result, Schema } from "effect"
import { existsSync } from "node:fs"
import { join } from "node:path"
import * as Specification from "../Specification.ts"
import * as Selection from "./Selection.ts"

export interface Entry {
  /** In the file, from 1. */
  readonly line: number
  readonly pattern: string
  readonly reason: string
}

export class InvalidKnownFailing extends Schema.TaggedError<InvalidKnownFailing>()("InvalidKnownFailing", {
  line: Schema.Int,
  message: Schema.String
}) {}

/** Reads the text of a file. An entry without a reason is none. */
export const parse = (text: string): Result.Result<ReadonlyArray<Entry>, InvalidKnownFailing> => {
  const entries: Array<Entry> = []
  for (const [i, whole] of text.split("\n").entries()) {
    const content = whole.trim()
    if (content === "" || content.startsWith("#")) continue
    const [, pattern = "", reason = ""] = /^(\S+)\s*(.*)$/.exec(content) ?? []
    if (reason === "") {
      const message = `${pattern} has no reason; write it behind the case, on the same line`
      return Result.fail(new InvalidKnownFailing({ line: i + 1, message }))
    }
    entries.push({ line: i + 1, pattern, reason })
  }
  return Result.succeed(entries)
}

/** The file of what a release of Apache Kafka is known to fail in all walks and in races, if it fails anything. */
export const fileOf = (release: string): string | undefined => {
  const [major, minor] = release.split(".")
  const file = join(Specification.folder, "known-failing", `apache-kafka-${major}.${minor}.txt`)
  return existsSync(file) ? file : undefined
}

/** The first entry that means a case. */
export const lookup = (entries: ReadonlyArray<Entry>): (id: string) => Entry | undefined => {
  const matchers = entries.map((entry) => ({ entry, matches: Selection.matcher([entry.pattern]) }))
  return (id) => matchers.find(({ matches }) => matches(id))?.entry
}
