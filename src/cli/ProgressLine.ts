/**
 * Progress on stderr: one line that changes on a terminal, a line every few seconds elsewhere.
 */
import { Layer } from "effect"
import { Progress } from "../conformance/Progress.ts"

/** Milliseconds between two lines where nothing can be overwritten. */
const interval = 10_000

const make = (): Progress => {
  const terminal = process.stderr.isTTY === true && process.env["CI"] === undefined && process.env["TERM"] !== "dumb"
  let last = Number.NEGATIVE_INFINITY
  return {
    report: (what, done, expected) => {
      const share = done === undefined ? "" : ` ${done}${expected === undefined ? "" : `/${expected}`}`
      if (terminal) {
        process.stderr.write(`\r\u001b[K${what}${share}`.slice(0, (process.stderr.columns ?? 80) + 3))
        return
      }
      const now = performance.now()
      if (now - last < interval) return
      last = now
      process.stderr.write(`${what}${share}\n`)
    }
  }
}

/** Wipes the line when a command is done. */
export const finish = (): void => {
  if (process.stderr.isTTY === true) process.stderr.write("\r\u001b[K")
}

export const layer = Layer.sync(Progress, make)
