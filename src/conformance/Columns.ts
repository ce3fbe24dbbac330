/**
 * What is known of the many records of a run: columns of numbers, eight bytes each, since an object for each record would
 * be too many.
 */

/** A growing column of numbers. */
export class Column {
  #cells = new Float64Array(16)
  length = 0

  push(value: number): void {
    if (this.length === this.#cells.length) {
      const grown = new Float64Array(2 * this.length)
      grown.set(this.#cells)
      this.#cells = grown
    }
    this.#cells[this.length++] = value
  }

  at(index: number): number {
    return this.#cells[index]!
  }

  set(index: number, value: number): void {
    this.#cells[index] = value
  }
}

/**
 * The number given to every id, counted from 0 in the order of addition.
 *
 * Ids that count up from 0, as most do, are kept in a column: a `Map` of millions of entries is several times slower,
 * more than linear in their number, and full at 2^24.
 */
export class Numbering {
  readonly #dense = new Column()
  readonly #sparse = new Map<number, number>()
  size = 0

  get(id: number): number | undefined {
    const number = id < this.#dense.length ? this.#dense.at(id) : -1
    return number === -1 ? this.#sparse.get(id) : number
  }

  add(id: number): number {
    if (id < 2 * this.size + 1_024) {
      while (this.#dense.length <= id) this.#dense.push(-1)
      this.#dense.set(id, this.size)
    } else {
      this.#sparse.set(id, this.size)
    }
    return this.size++
  }
}
