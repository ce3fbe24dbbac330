/**
 * One thing that was checked, as every command counts it.
 */
export interface Check {
  readonly name: string
  readonly status: "passed" | "failed" | "skipped"
  /** Why it failed or was skipped. */
  readonly detail?: string
  /** The command that checks this alone. */
  readonly rerun?: string
}

export const passed = (name: string): Check => ({ name, status: "passed" })

export const failed = (name: string, detail: string, rerun?: string): Check => ({
  name,
  status: "failed",
  detail,
  ...(rerun === undefined ? {} : { rerun })
})

export const skipped = (name: string, detail: string): Check => ({ name, status: "skipped", detail })

export interface Tally {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export const tally = (checks: ReadonlyArray<Check>): Tally => {
  const count = (status: Check["status"]): number => checks.filter((check) => check.status === status).length
  return { passed: count("passed"), failed: count("failed"), skipped: count("skipped") }
}
