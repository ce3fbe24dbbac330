/**
 * What goes to stdout: tables, check marks, JSON.
 */
import { Console, type Effect } from "effect"
import type { Check } from "../conformance/Check.ts"
import * as Checks from "../conformance/Check.ts"

export type Alignment = "left" | "right"

/** A table with two blanks between columns; the first row is the heading. */
export const table = (
  rows: ReadonlyArray<ReadonlyArray<string>>,
  alignments: ReadonlyArray<Alignment>
): ReadonlyArray<string> => {
  const widths = alignments.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row.map((cell, column) =>
      alignments[column] === "right" ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)
    ).join("  ").trimEnd()
  )
}

export const print = (lines: ReadonlyArray<string>): Effect.Effect<void> => Console.log(lines.join("\n"))

export const json = (document: unknown): Effect.Effect<void> => Console.log(JSON.stringify(document, undefined, 2))

export const seconds = (value: number | undefined): string => value === undefined ? "–" : value.toFixed(1)

export const count = (value: number | undefined): string => value === undefined ? "–" : value.toLocaleString("en-US")

/** Failures in full, skips by their reason, and the closing line. */
export const checks = (all: ReadonlyArray<Check>): ReadonlyArray<string> => {
  const lines: Array<string> = []
  for (const check of all) {
    if (check.status !== "failed") continue
    lines.push(`✘ ${check.name}`, ...(check.detail ?? "").split("\n").map((line) => `    ${line}`))
    if (check.rerun !== undefined) lines.push(`    again: ${check.rerun}`)
  }
  const reasons = new Map<string, Array<string>>()
  for (const { detail = "", name, status } of all) {
    if (status === "skipped") reasons.set(detail, [...(reasons.get(detail) ?? []), name])
  }
  for (const [reason, names] of reasons) lines.push(`not checked (${reason}): ${names.join("; ")}`)
  return [...lines, ...(lines.length === 0 ? [] : [""]), closing(all)]
}

/** The closing line of every verdict command. */
export const closing = (all: ReadonlyArray<Check>): string => {
  const { failed, passed, skipped } = Checks.tally(all)
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}
