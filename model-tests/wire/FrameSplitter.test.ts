import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Frame, FrameSplitter } from "../../src/wire/index.ts"

const bytes = (...values: ReadonlyArray<number>): Uint8Array => Uint8Array.from(values)

const plain = (frames: ReadonlyArray<Uint8Array>): ReadonlyArray<ReadonlyArray<number>> =>
  frames.map((frame) => Array.from(frame))

const concatenated = (parts: ReadonlyArray<Uint8Array>): Uint8Array => new Uint8Array(Buffer.concat(parts))

/** Cuts, as the places where chunks end. */
const chunked = (stream: Uint8Array, cuts: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const places = [0, ...cuts.map((cut) => cut % (stream.length + 1)).toSorted((a, b) => a - b), stream.length]
  return places.slice(1).map((end, index) => stream.subarray(places[index]!, end))
}

describe("a stream of frames", () => {
  it("is cut into the same frames, however it is cut into chunks", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 })), fc.array(fc.nat()), (frames, cuts) => {
        const splitter = FrameSplitter.make()
        const found = chunked(concatenated(frames.map(Frame.of)), cuts).flatMap((chunk) => {
          const { frames, invalid } = FrameSplitter.push(splitter, chunk)
          assert.strictEqual(invalid, undefined)
          return frames
        })

        assert.deepStrictEqual(plain(found), plain(frames))
        assert.strictEqual(splitter.length, 0)
      })
    )
  })

  it("gives a frame with its last byte, not before", () => {
    const splitter = FrameSplitter.make()

    assert.deepStrictEqual(FrameSplitter.push(splitter, bytes(0, 0, 0, 2, 7)).frames, [])
    assert.deepStrictEqual(plain(FrameSplitter.push(splitter, bytes(8)).frames), [[7, 8]])
  })

  it("is cut in time that grows with its bytes, if each comes alone", () => {
    const splitter = FrameSplitter.make()
    const frame = Frame.of(new Uint8Array(300_000).fill(1))
    let copied = 0
    const found: Array<Uint8Array> = []
    for (let at = 0; at < frame.length; at++) {
      const before = splitter.pending
      found.push(...FrameSplitter.push(splitter, frame.subarray(at, at + 1)).frames)
      if (splitter.pending !== before) copied++
    }

    assert.deepStrictEqual(plain(found), plain([frame.subarray(4)]))
    // With the size, and with the frame.
    assert.strictEqual(copied, 2)
  })
})

describe("a size that is none", () => {
  it("ends the stream after the frames before it", () => {
    for (const size of [[0x80, 0, 0, 0], [0, 0, 0, 5], [0xff, 0xff, 0xff, 0xff]]) {
      const splitter = FrameSplitter.make(4)
      const invalid = { _tag: "InvalidSize", size: Buffer.from(size).readInt32BE(), limit: 4 } as const

      const first = FrameSplitter.push(splitter, bytes(0, 0, 0, 1, 9, 0, 0, 0, 4, 1, 2, 3, 4, ...size))
      assert.deepStrictEqual(plain(first.frames), [[9], [1, 2, 3, 4]])
      assert.deepStrictEqual(first.invalid, invalid)

      assert.deepStrictEqual(FrameSplitter.push(splitter, bytes(0, 0, 0, 1, 9)), { frames: [], invalid })
      assert.strictEqual(splitter.length, 0)
    }
  })

  it("is said", () => {
    assert.strictEqual(FrameSplitter.describe({ _tag: "InvalidSize", size: -1, limit: 4 }), "a frame of -1 bytes")
    assert.strictEqual(
      FrameSplitter.describe({ _tag: "InvalidSize", size: 5, limit: 4 }),
      "a frame of 5 bytes, and 4 are the most"
    )
  })

  it("never makes anything but frames and an end of any bytes", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 12 })), (chunks) => {
        const splitter = FrameSplitter.make(6)
        const results = chunks.map((chunk) => FrameSplitter.push(splitter, chunk))

        const ended = results.findIndex(({ invalid }) => invalid !== undefined)
        const frames = results.flatMap(({ frames }) => frames)
        assert.isTrue(frames.every(({ length }) => length <= 6))
        const stream = concatenated(chunks)
        const rebuilt = concatenated(frames.map(Frame.of))
        assert.deepStrictEqual(rebuilt, stream.subarray(0, rebuilt.length))
        if (ended < 0) assert.strictEqual(rebuilt.length + splitter.length, stream.length)
        else assert.isTrue(results.slice(ended + 1).every(({ frames }) => frames.length === 0))
      })
    )
  })
})
