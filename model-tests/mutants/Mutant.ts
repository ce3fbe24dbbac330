/**
 * One deliberate change of a text: a condition that is no longer asked, or always answered the same way.
 */
export interface Mutant {
  /** Where and what: `Send: Len(s.inFlight) < MaxInFlight → TRUE`. Unique within its file, and free of line numbers. */
  readonly name: string
  /** The definition or function in which the change is. */
  readonly owner: string
  /** Line of the change in the text that was mutated. */
  readonly line: number
  /** The whole text with the change made. */
  readonly text: string
}

/** A change before it has a name of its own: `[start, end)` gives way to `replacement`. */
export interface Change {
  readonly owner: string
  readonly start: number
  readonly end: number
  readonly replacement: string
  /** What the name shows in the place of the replaced text. */
  readonly shown?: string
}

const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim()

const shownLength = 100

const shorten = (text: string): string => text.length <= shownLength ? text : `${text.slice(0, shownLength)}…`

/** Makes the changes one at a time, in the order of the text. The same change asked for twice is made once. */
export const apply = (text: string, changes: ReadonlyArray<Change>): ReadonlyArray<Mutant> => {
  const distinct = new Map(changes.map((change) => [`${change.start} ${change.end} ${change.replacement}`, change]))
  const inOrder = [...distinct.values()].toSorted((a, b) => a.start - b.start || b.end - a.end)
  const uses = new Map<string, number>()
  return inOrder.map(({ end, owner, replacement, shown, start }) => {
    const name = `${owner}: ${shown ?? `${shorten(oneLine(text.slice(start, end)))} → ${replacement}`}`
    const use = (uses.get(name) ?? 0) + 1
    uses.set(name, use)
    return {
      name: use === 1 ? name : `${name} (${use})`,
      owner,
      line: text.slice(0, start).split("\n").length,
      text: text.slice(0, start) + replacement + text.slice(end)
    }
  })
}
