/**
 * Speed and memory of a history checker on a run that is correct.
 */

/** What judging a run took. */
export interface Measurement {
  /** Records handed over, each with what was reported and read of it. */
  readonly operations: number
  readonly events: number
  readonly seconds: number
  /** Growth of the resident set from before the run to its peak. */
  readonly bytes: number
}

/** How often memory is looked at, in events. */
const lookInterval = 16_384

/**
 * Judges a run of `operations` records, its events made on the way. Throws where the checker has a `complaint`, since
 * nothing is wrong with the run.
 */
export const measure = <Event, Verdict>(
  operations: number,
  run: Iterable<Event>,
  make: () => { readonly observe: (event: Event) => void; readonly verdict: () => Verdict },
  complaint: (verdict: Verdict) => string | undefined
): Measurement => {
  const before = process.memoryUsage.rss()
  const start = process.hrtime.bigint()
  const checker = make()
  let peak = before
  let events = 0
  for (const event of run) {
    checker.observe(event)
    events += 1
    if (events % lookInterval === 0) peak = Math.max(peak, process.memoryUsage.rss())
  }
  const verdict = checker.verdict()
  const seconds = Number(process.hrtime.bigint() - start) / 1e9
  peak = Math.max(peak, process.memoryUsage.rss())
  const found = complaint(verdict)
  if (found !== undefined) throw new Error(`The generated run is not judged correct:\n${found}`)
  return { operations, events, seconds, bytes: peak - before }
}
