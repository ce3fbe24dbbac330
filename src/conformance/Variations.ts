/**
 * Scenarios made from others: varied, to look around what is rare, and made smaller, to see what matters.
 *
 * Both know of a scenario that it has parts, and of these that some are lists. Whether the result makes sense is for
 * `Trial.of` to see to.
 */

/** A number from 0 up to 1. */
type Next = () => number

type List = ReadonlyArray<unknown>

const isList = (value: unknown): value is List => Array.isArray(value)

const below = (next: Next, count: number): number => Math.floor(next() * count)

/** No list grows beyond this by being varied. */
const longest = 64

/** How far an event is moved at most, in virtual milliseconds. */
const shift = 30

/** The same event a little earlier or later; anything else as it is. */
const moved = (item: unknown, next: Next): unknown => {
  if (typeof item !== "object" || item === null || !("at" in item) || typeof item.at !== "number") return item
  return { ...item, at: Math.max(0, item.at + below(next, 2 * shift + 1) - shift) }
}

/** Some items less, some from elsewhere more, or one moved. */
const variedList = (base: List, other: List, next: Next): List => {
  const list = [...base]
  const times = 1 + below(next, 3)
  for (let i = 0; i < times; i++) {
    const place = below(next, list.length + 1)
    switch (below(next, 3)) {
      case 0:
        if (list.length > 1) list.splice(Math.min(place, list.length - 1), 1)
        break
      case 1:
        if (other.length > 0 && list.length < longest) list.splice(place, 0, other[below(next, other.length)])
        break
      default:
        if (place < list.length) list[place] = moved(list[place], next)
    }
  }
  return list
}

/**
 * Parts like `base`: most lists are varied with items of `other`, some of the rest is that of `other`. Every other time the
 * seed stays, so that what is not touched goes as it went.
 */
export const vary = (base: object, other: object, next: Next): object => {
  const from = other as Readonly<Record<string, unknown>>
  return Object.fromEntries(
    Object.entries(base).map(([key, value]) => {
      const theirs = from[key]
      if (key === "seed") return [key, next() < 0.5 ? value : theirs]
      if (isList(value) && isList(theirs)) return [key, next() < 0.5 ? variedList(value, theirs, next) : value]
      return [key, next() < 0.125 ? theirs : value]
    })
  )
}

/** A list without some of its items: first without half of them, then without one. */
function* shorter(list: List): Generator<List, void> {
  for (let size = Math.ceil(list.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from + size <= list.length; from += size) yield list.toSpliced(from, size)
  }
}

/** The same with one list less long, wherever in it the list is. */
function* smallerValues(value: unknown): Generator<unknown, void> {
  if (isList(value)) {
    yield* shorter(value)
    for (const [place, item] of value.entries()) {
      for (const smallerItem of smallerValues(item)) yield value.with(place, smallerItem)
    }
  } else if (typeof value === "object" && value !== null) {
    for (const [key, part] of Object.entries(value)) {
      for (const smallerPart of smallerValues(part)) yield { ...value, [key]: smallerPart }
    }
  }
}

/** Parts that lack something of these, in an order that is always the same. */
export function* smaller(parts: object): Generator<object, void> {
  if ("stop" in parts && parts.stop !== undefined) yield { ...parts, stop: undefined }
  for (const value of smallerValues(parts)) yield value as object
}
