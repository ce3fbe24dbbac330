import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Interner from "../../src/model/Interner.ts"

/** A value of every kind that words can be of. */
interface Thing {
  readonly number: number
  readonly text: string
  readonly flag: boolean
  readonly payload: number | string
  readonly list: ReadonlyArray<number>
  readonly map: ReadonlyMap<number, string>
}

const number = (words: Interner.Words, value: number): void => words.number(value)
const text = (words: Interner.Words, value: string): void => words.text(value)

const write = (words: Interner.Words, thing: Thing): void => {
  words.number(thing.number)
  words.text(thing.text)
  words.flag(thing.flag)
  words.value(thing.payload)
  words.list(thing.list, number)
  words.map(thing.map, text)
}

const numbers = fc.oneof(fc.constantFrom(0, 1, -1, -0x80000000, 0x7fffffff, 0x80000000, Number.NaN), fc.nat(3))
const texts = fc.constantFrom("", "0", "1", "a")

const things: fc.Arbitrary<Thing> = fc.record({
  number: numbers,
  text: texts,
  flag: fc.boolean(),
  payload: fc.oneof(numbers, texts),
  list: fc.array(numbers, { maxLength: 3 }),
  map: fc.array(fc.tuple(fc.nat(3), texts), { maxLength: 3 }).map((entries) => new Map(entries))
})

/** Equal for equal things: what a test may say more slowly than a pool. */
const described = ({ flag, list, map, number: one, payload, text: word }: Thing): string =>
  JSON.stringify([
    String(one),
    word,
    flag,
    typeof payload,
    String(payload),
    list.map(String),
    [...map].toSorted(([a], [b]) => a - b)
  ])

describe("a pool", () => {
  it("gives equal values one number, and others another", () => {
    fc.assert(
      fc.property(fc.array(things, { maxLength: 60 }), (all) => {
        const pool = new Interner.Pool(write)
        const known = new Map<string, number>()
        for (const thing of all) {
          const key = described(thing)
          if (!known.has(key)) known.set(key, known.size)
          assert.strictEqual(pool.number(thing), known.get(key))
          assert.strictEqual(pool.number({ ...thing, map: new Map([...thing.map].toReversed()) }), known.get(key))
        }
      }),
      { seed: 1 }
    )
  })

  it("gives back the object that was met first", () => {
    const pool = new Interner.Pool<{ readonly id: number }>((words, { id }) => words.number(id))
    const first = { id: 7 }

    pool.number(first)
    pool.number({ id: 8 })

    assert.strictEqual(pool.value(pool.number({ id: 7 })), first)
  })
})

describe("an interner", () => {
  const make = (): Interner.Interner<ReadonlyArray<number>> =>
    Interner.make({
      pack: (words, world) => world.forEach((part) => words.number(part)),
      unpack: (word) => [word(0), word(1)]
    })

  it("numbers worlds in the order in which they are met, however many", () => {
    const worlds = make()
    const count = 20_000
    const world = (i: number): ReadonlyArray<number> => [i % 100, Math.floor(i / 100)]

    for (let i = 0; i < count; i++) assert.strictEqual(worlds.number(world(i)), i)
    for (let i = 0; i < count; i++) assert.strictEqual(worlds.number(world(i)), i)

    assert.strictEqual(worlds.size(), count)
    assert.deepStrictEqual(worlds.world(1234), [34, 12])
  })
})
