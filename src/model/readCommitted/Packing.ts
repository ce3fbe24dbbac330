/**
 * What two equal worlds have in common, part by part.
 */
import type { Fetch } from "../../core/index.ts"
import type { Packing, Words } from "../Interner.ts"
import { Pool } from "../Interner.ts"
import type { World } from "./World.ts"

const number = (words: Words, value: number): void => words.number(value)

const entry = (words: Words, { kind, producerId }: Fetch.Entry): void => {
  words.text(kind)
  words.number(producerId)
}

const aborted = (words: Words, { first, last, producerId }: Fetch.AbortedTransaction): void => {
  words.number(producerId)
  words.number(first)
  words.number(last)
}

/** Stands for an absent offset; offsets count from 0. */
const none = -1

export const packing = (): Packing<World> => {
  const logs = new Pool<Fetch.Partition["log"]>((words, log) => words.list(log, entry))
  const indexes = new Pool<Fetch.Partition["abortedIndex"]>((words, index) => words.list(index, aborted))
  const offsets = new Pool<World["delivered"]>((words, delivered) => words.list(delivered, number))
  return {
    pack: (words, { delivered, partition, position }) => {
      words.number(logs.number(partition.log))
      words.number(indexes.number(partition.abortedIndex))
      words.number(partition.parked ?? none)
      words.number(position)
      words.number(offsets.number(delivered))
    },
    unpack: (word) => ({
      partition: {
        log: logs.value(word(0)),
        abortedIndex: indexes.value(word(1)),
        parked: word(2) === none ? undefined : word(2)
      },
      position: word(3),
      delivered: offsets.value(word(4))
    })
  }
}
