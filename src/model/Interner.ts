/**
 * Worlds as numbers: every part of a world is interned once, a world is the tuple of its parts' numbers, and equal tuples
 * have one number.
 *
 * Parts recombine far more often than they are new, so almost all of the work of comparing worlds is done once per
 * part, and no world needs to be kept.
 */

const initialSlots = 1024

/** Distinct tuples of numbers, numbered in the order in which they were met. An open-addressing table. */
class Tuples {
  size = 0
  /** All tuples one after the other; tuple `n` ends where `n + 1` begins. */
  words = new Int32Array(initialSlots)
  starts = new Int32Array(initialSlots)
  /** 0 for a free slot, and otherwise the number of the tuple + 1. */
  #slots = new Int32Array(initialSlots)

  /** The number of the tuple that is the first `length` of these words. */
  number(words: Int32Array, length: number): number {
    const mask = this.#slots.length - 1
    let at = hash(words, 0, length) & mask
    for (;;) {
      const found = this.#slots[at]! - 1
      if (found < 0) break
      if (this.#holds(found, words, length)) return found
      at = (at + 1) & mask
    }
    this.#slots[at] = this.size + 1
    return this.#add(words, length)
  }

  #holds(number: number, words: Int32Array, length: number): boolean {
    const start = this.starts[number]!
    if (this.starts[number + 1]! - start !== length) return false
    for (let i = 0; i < length; i++) if (this.words[start + i] !== words[i]) return false
    return true
  }

  #add(words: Int32Array, length: number): number {
    const number = this.size++
    const start = this.starts[number]!
    while (start + length > this.words.length) this.words = grown(this.words)
    for (let i = 0; i < length; i++) this.words[start + i] = words[i]!
    if (number + 1 === this.starts.length) this.starts = grown(this.starts)
    this.starts[number + 1] = start + length
    if (this.size * 2 > this.#slots.length) this.#rehash()
    return number
  }

  #rehash(): void {
    this.#slots = new Int32Array(this.#slots.length * 4)
    const mask = this.#slots.length - 1
    for (let number = 0; number < this.size; number++) {
      let at = hash(this.words, this.starts[number]!, this.starts[number + 1]!) & mask
      while (this.#slots[at] !== 0) at = (at + 1) & mask
      this.#slots[at] = number + 1
    }
  }
}

const grown = (words: Int32Array): Int32Array<ArrayBuffer> => {
  const copy = new Int32Array(words.length * 2)
  copy.set(words)
  return copy
}

const hash = (words: Int32Array, start: number, end: number): number => {
  let code = end - start
  for (let i = start; i < end; i++) {
    code = Math.imul(code ^ words[i]!, 0x9e3779b1)
    code ^= code >>> 15
  }
  return code
}

const isAscending = (keys: Iterable<number>): boolean => {
  let before = Number.NEGATIVE_INFINITY
  for (const key of keys) {
    if (key <= before) return false
    before = key
  }
  return true
}

/** Announces a value that is no 32-bit integer. */
const escape = -0x80000000

/**
 * The words of one value, written in an order that tells it apart from every other: a list begins with its length.
 */
export class Words {
  buffer = new Int32Array(64)
  length = 0
  /** Values that are no 32-bit integers, numbered. */
  readonly #others = new Map<number | string, number>()

  number(value: number): void {
    if ((value | 0) === value && value !== escape) this.#push(value)
    else this.#other(value)
  }

  text(value: string): void {
    this.#push(this.#numberOf(value))
  }

  /** A number or a text, where both occur. */
  value(value: number | string): void {
    if (typeof value === "number") this.number(value)
    else this.#other(value)
  }

  flag(value: boolean): void {
    this.#push(value ? 1 : 0)
  }

  list<A>(items: ReadonlyArray<A>, write: (words: Words, item: A) => void): void {
    this.#push(items.length)
    for (let i = 0; i < items.length; i++) write(this, items[i]!)
  }

  /** A map on numbers; the order of insertion does not count. */
  map<A>(entries: ReadonlyMap<number, A>, write: (words: Words, value: A) => void): void {
    this.#push(entries.size)
    const keys = isAscending(entries.keys()) ? entries.keys() : [...entries.keys()].sort((a, b) => a - b)
    for (const key of keys) {
      this.number(key)
      write(this, entries.get(key)!)
    }
  }

  #other(value: number | string): void {
    this.#push(escape)
    this.#push(this.#numberOf(value))
  }

  #numberOf(value: number | string): number {
    const known = this.#others.get(value)
    if (known !== undefined) return known
    const number = this.#others.size
    this.#others.set(value, number)
    return number
  }

  #push(word: number): void {
    if (this.length === this.buffer.length) this.buffer = grown(this.buffer)
    this.buffer[this.length++] = word
  }
}

/** The distinct values of one kind, numbered in the order in which they were met. */
export class Pool<A extends object> {
  readonly #values: Array<A> = []
  // Only the first object of each value is remembered: a table of all of them would keep every world alive.
  readonly #numbers = new Map<A, number>()
  readonly #tuples = new Tuples()
  readonly #words = new Words()
  readonly #write: (words: Words, value: A) => void

  /** `write` must tell apart what is not equal. */
  constructor(write: (words: Words, value: A) => void) {
    this.#write = write
  }

  /** The number of a value, the same for equal ones. */
  number(value: A): number {
    const known = this.#numbers.get(value)
    if (known !== undefined) return known
    const words = this.#words
    words.length = 0
    this.#write(words, value)
    const number = this.#tuples.number(words.buffer, words.length)
    if (number === this.#values.length) {
      this.#values.push(value)
      this.#numbers.set(value, number)
    }
    return number
  }

  /** The value of a number: the object that was met first. */
  value(number: number): A {
    return this.#values[number]!
  }
}

/** How worlds are taken apart and put together again. */
export interface Packing<World> {
  /** Writes the numbers of the parts, as many for every world. */
  readonly pack: (words: Words, world: World) => void
  /** An equal world made of the parts that were met first; `word` gives what `pack` wrote, by its place. */
  readonly unpack: (word: (place: number) => number) => World
}

/** Worlds by number, comparable only within one interner. */
export interface Interner<World> {
  /** How many worlds were met. */
  readonly size: () => number
  /** The number of a world, the same for equal ones; a world that is new gets the next, from 0. */
  readonly number: (world: World) => number
  /** The world of a number, made of the parts that were met first. */
  readonly world: (number: number) => World
}

export const make = <World>({ pack, unpack }: Packing<World>): Interner<World> => {
  const tuples = new Tuples()
  const words = new Words()
  return {
    size: () => tuples.size,
    number: (world) => {
      words.length = 0
      pack(words, world)
      return tuples.number(words.buffer, words.length)
    },
    world: (number) => {
      const start = tuples.starts[number]!
      return unpack((place) => tuples.words[start + place]!)
    }
  }
}
