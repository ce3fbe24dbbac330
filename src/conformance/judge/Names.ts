/**
 * Numbers for the names that a harness gives, counted from 0 in the order in which they come up.
 */
import { Column, Numbering } from "../Columns.ts"
import type * as Format from "./Format.ts"

export class Names {
  readonly #names: Array<Format.Id> = []
  readonly #strings = new Map<string, number>()
  readonly #naturals = new Numbering()
  readonly #numberOfNatural = new Column()

  get size(): number {
    return this.#names.length
  }

  get(name: Format.Id): number | undefined {
    if (typeof name === "string") return this.#strings.get(name)
    const natural = this.#naturals.get(name)
    return natural === undefined ? undefined : this.#numberOfNatural.at(natural)
  }

  add(name: Format.Id): number {
    const number = this.#names.push(name) - 1
    if (typeof name === "string") {
      this.#strings.set(name, number)
    } else {
      this.#naturals.add(name)
      this.#numberOfNatural.push(number)
    }
    return number
  }

  /** The number of the name, known or new. */
  number(name: Format.Id): number {
    return this.get(name) ?? this.add(name)
  }

  at(number: number): Format.Id {
    return this.#names[number]!
  }
}
