/**
 * Cuts a stream of bytes into frames, wherever its chunks begin and end. It does no input or output of its own.
 *
 * A size that is negative or above the limit ends it for good, as what comes after cannot be told apart any more.
 */
import * as Bytes from "./Bytes.ts"

/** No frame begins here. */
export interface InvalidSize {
  readonly _tag: "InvalidSize"
  readonly size: number
  readonly limit: number
}

export interface FrameSplitter {
  readonly limit: number
  /** Not yet in a frame, in the order in which they came. */
  pending: Array<Uint8Array>
  /** Bytes in `pending`. */
  length: number
  /** Bytes to wait for: those of a size, or of a size and the frame behind it. */
  needed: number
  invalid: InvalidSize | undefined
}

export interface Split {
  /** Without their sizes. */
  readonly frames: ReadonlyArray<Uint8Array>
  /** What came after the frames, if it is no frame. */
  readonly invalid: InvalidSize | undefined
}

const SIZE = 4

/** `socket.request.max.bytes`, by default. */
export const defaultLimit = 104_857_600

/** `limit` is that of a frame, in bytes, without its size. */
export const make = (limit = defaultLimit): FrameSplitter => ({
  limit,
  pending: [],
  length: 0,
  needed: SIZE,
  invalid: undefined
})

/** All pending bytes as one, copied only where they are several. */
const joined = ({ length, pending }: FrameSplitter): Uint8Array => {
  if (pending.length === 1) return pending[0]!
  const bytes = new Uint8Array(length)
  let at = 0
  for (const chunk of pending) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

/** Takes the next chunk and gives the frames that are whole by now; they may be views of chunks. */
export const push = (splitter: FrameSplitter, chunk: Uint8Array): Split => {
  const frames: Array<Uint8Array> = []
  splitter.pending.push(chunk)
  splitter.length += chunk.length
  if (splitter.invalid === undefined && splitter.length >= splitter.needed) take(splitter, frames)
  if (splitter.invalid !== undefined) {
    splitter.pending = []
    splitter.length = 0
  }
  return { frames, invalid: splitter.invalid }
}

const take = (splitter: FrameSplitter, frames: Array<Uint8Array>): void => {
  const { limit } = splitter
  const from = Bytes.reader(joined(splitter))
  const left = (): number => from.end - from.position
  splitter.needed = SIZE
  while (left() >= SIZE) {
    const size = from.view.getInt32(from.position)
    if (size < 0 || size > limit) {
      splitter.invalid = { _tag: "InvalidSize", size, limit }
      return
    }
    if (left() < SIZE + size) {
      splitter.needed = SIZE + size
      break
    }
    Bytes.skip(from, SIZE)
    frames.push(Bytes.readBytes(from, size))
  }
  splitter.pending = left() === 0 ? [] : [from.bytes.subarray(from.position)]
  splitter.length = left()
}

/** What is wrong, for a person. */
export const describe = ({ limit, size }: InvalidSize): string =>
  size < 0 ? `a frame of ${size} bytes` : `a frame of ${size} bytes, and ${limit} are the most`
