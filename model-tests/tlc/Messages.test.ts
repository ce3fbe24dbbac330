import { assert, describe, it } from "@effect/vitest"
import { type Event, makeLineSplitter, makeParser } from "../../src/tlc/Messages.ts"

const read = (text: string, end = true): ReadonlyArray<Event> => {
  const events: Array<Event> = []
  const parser = makeParser((event) => events.push(event))
  for (const line of text.split("\n")) parser.push(line)
  if (end) parser.end()
  return events
}

const message = (code: number, severity: number, text: string, depth = 0) =>
  ({ _tag: "Message", code, severity, text, depth }) as const

describe("makeParser", () => {
  it("reads blocks and the text between them", () => {
    const events = read(`@!@!@STARTMSG 2220:0 @!@!@
Starting SANY...
@!@!@ENDMSG 2220 @!@!@
Parsing file Counter.tla
@!@!@STARTMSG 2217:4 @!@!@
1: <Initial predicate>
/\\ x = 0
/\\ log = <<>>

@!@!@ENDMSG 2217 @!@!@`)

    assert.deepStrictEqual(events, [
      message(2220, 0, "Starting SANY..."),
      { _tag: "Text", line: "Parsing file Counter.tla" },
      message(2217, 4, "1: <Initial predicate>\n/\\ x = 0\n/\\ log = <<>>")
    ])
  })

  it("reads a block inside a block", () => {
    const events = read(`@!@!@STARTMSG 2111:1 @!@!@
Evaluating invariant Asserting failed.
@!@!@STARTMSG 2132:0 @!@!@
The first argument of Assert evaluated to FALSE; the second argument was:
"x is too big"
@!@!@ENDMSG 2132 @!@!@
@!@!@ENDMSG 2111 @!@!@`)

    assert.deepStrictEqual(events, [
      message(
        2132,
        0,
        "The first argument of Assert evaluated to FALSE; the second argument was:\n\"x is too big\"",
        1
      ),
      message(2111, 1, "Evaluating invariant Asserting failed.")
    ])
  })

  it("reads a block that starts in the middle of a line", () => {
    const events = read(`@!@!@STARTMSG 1000:1 @!@!@
The exception was a tlc2.tool.ConfigFileException
: @!@!@STARTMSG 5006:0 @!@!@
TLC found an error in the configuration file at line 2
@!@!@ENDMSG 5006 @!@!@
@!@!@ENDMSG 1000 @!@!@`)

    assert.deepStrictEqual(events, [
      message(5006, 0, "TLC found an error in the configuration file at line 2", 1),
      message(1000, 1, "The exception was a tlc2.tool.ConfigFileException\n:")
    ])
  })

  it("reports what a killed TLC left open", () => {
    const cut = "@!@!@STARTMSG 2110:1 @!@!@\nInvariant Small is"

    assert.deepStrictEqual(read(cut, false), [])
    assert.deepStrictEqual(read(cut), [message(2110, 1, "Invariant Small is")])
  })

  it("ignores an end without a start, and an end closes the blocks inside", () => {
    assert.deepStrictEqual(read("@!@!@ENDMSG 2110 @!@!@"), [])
    assert.deepStrictEqual(
      read("@!@!@STARTMSG 1:0 @!@!@\na\n@!@!@STARTMSG 2:0 @!@!@\nb\n@!@!@ENDMSG 1 @!@!@"),
      [message(2, 0, "b", 1), message(1, 0, "a")]
    )
  })
})

it("makeLineSplitter does not care how bytes are cut", () => {
  const text = "eins\nzwölf → 世界\n\nlast without newline"
  const bytes = Buffer.from(text)
  for (let size = 1; size <= bytes.length; size++) {
    const lines: Array<string> = []
    const splitter = makeLineSplitter((line) => lines.push(line))
    for (let at = 0; at < bytes.length; at += size) splitter.push(bytes.subarray(at, at + size))
    splitter.end()
    assert.deepStrictEqual(lines, text.split("\n"))
  }
})
