/**
 * The log of the transaction coordinators on a disk as file systems have it: what is written is read at once, but only what
 * was synced outlives a crash. Of the rest a crash keeps as much as it happens to, which may end in the midst of a record.
 *
 * A coordinator that takes over does so since its predecessor crashed, and the broker with it: opening the log is what
 * follows a crash of the disk.
 */
import { Effect, Layer, Random } from "effect"
import { TransactionMetadata } from "../../core/index.ts"
import { TransactionLog } from "./TransactionLog.ts"

/** A file on a disk. */
export interface Disk {
  readonly write: (text: string) => void
  /** All that was written so far outlives a crash. */
  readonly sync: () => void
  /** Of what is not synced, this share is kept, from 0 to 1. */
  readonly crash: (kept: number) => void
  readonly read: () => string
  /** Only so many characters are left. */
  readonly truncate: (length: number) => void
}

/** A disk with an empty file. */
export const make = (): Disk => {
  let text = ""
  let synced = 0
  return {
    write: (more) => void (text += more),
    sync: () => void (synced = text.length),
    crash: (kept) => {
      text = text.slice(0, synced + Math.floor((text.length - synced) * kept))
      synced = text.length
    },
    read: () => text,
    truncate: (length) => {
      text = text.slice(0, length)
      synced = text.length
    }
  }
}

export interface Options {
  /** An append is synced before it is answered. A log that does without loses what it has promised to keep. */
  readonly sync: boolean
}

const lineOf = (transactionalId: number, record: TransactionMetadata.Metadata): string =>
  `${JSON.stringify([transactionalId, record])}\n`

/** The last record of each id. A line that was not written to its end is cut off. */
const recover = (disk: Disk): Map<number, TransactionMetadata.Metadata> => {
  disk.truncate(disk.read().lastIndexOf("\n") + 1)
  const lines = disk.read().split("\n").slice(0, -1)
  return new Map(lines.map((line) => JSON.parse(line) as [number, TransactionMetadata.Metadata]))
}

/** A log in the file of a disk. It is opened with the layer, behind a crash. */
export const layer = (disk: Disk, { sync }: Options): Layer.Layer<TransactionLog> =>
  Layer.effect(
    TransactionLog,
    Effect.gen(function*() {
      // Drawn where it matters, so that a log which syncs leaves the choices of a run as they are.
      disk.crash(sync ? 1 : yield* Random.next)
      const known = recover(disk)
      return TransactionLog.of({
        append: (transactionalId, record) =>
          Effect.sync(() => {
            disk.write(lineOf(transactionalId, record))
            if (sync) disk.sync()
            known.set(transactionalId, record)
          }),
        load: (transactionalId) => Effect.sync(() => known.get(transactionalId) ?? TransactionMetadata.unknown)
      })
    })
  )
