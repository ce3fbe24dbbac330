/**
 * What two equal worlds have in common, part by part.
 */
import type { ExternalSink, SinkMember } from "../../core/index.ts"
import type { Packing, Words } from "../Interner.ts"
import { Pool } from "../Interner.ts"
import type { World } from "./World.ts"

/** Stands for an absent offset; offsets count from 0. */
const none = -1

const member = (words: Words, { batch, connection, fenced, generation, position, step }: SinkMember.Member): void => {
  words.number(generation)
  words.number(connection)
  words.flag(fenced)
  words.number(position ?? none)
  words.number(batch ?? none)
  words.number(step)
}

const row = (words: Words, { generation, offset }: ExternalSink.Row): void => {
  words.number(offset)
  words.number(generation)
}

const transaction = (words: Words, { batch, connection, generation, step }: ExternalSink.Transaction): void => {
  words.number(generation)
  words.number(connection)
  words.number(batch)
  words.number(step)
}

export const packing = (): Packing<World> => {
  const groups = new Pool<World["members"]>((words, members) => words.list(members, member))
  const storages = new Pool<ExternalSink.Storage>((words, { fence, outputs, stored }) => {
    words.number(fence)
    words.number(stored)
    words.list(outputs, row)
  })
  const networks = new Pool<World["inFlight"]>((words, inFlight) => words.list(inFlight, transaction))
  return {
    pack: (words, { generation, inFlight, members, storage }) => {
      words.number(generation)
      words.number(groups.number(members))
      words.number(storages.number(storage))
      words.number(networks.number(inFlight))
    },
    unpack: (word) => ({
      generation: word(0),
      members: groups.value(word(1)),
      storage: storages.value(word(2)),
      inFlight: networks.value(word(3))
    })
  }
}
