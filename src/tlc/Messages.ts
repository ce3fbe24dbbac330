/**
 * The output of TLC under `-tool`, read incrementally into messages.
 *
 * TLC brackets what it says between `@!@!@STARTMSG code:severity @!@!@` and `@!@!@ENDMSG code @!@!@`. Two things are easy
 * to get wrong: blocks nest (an invariant that fails to evaluate contains the reason), and a nested start may stand in the
 * middle of a line. What SANY, `Print` and `PrintT` write stands outside all blocks.
 *
 * The parser is pure and keeps no finished message; whoever needs them collects them. It says nothing about what a code
 * means: see `Verdict.ts`.
 */

/** A finished block. Blocks inside it are reported before it, and their text is not part of its own. */
export interface Message {
  readonly _tag: "Message"
  readonly code: number
  readonly severity: number
  /** Text of the block without the markers, trailing white space removed. */
  readonly text: string
  /** How many blocks enclose this one. */
  readonly depth: number
}

/** A line outside all blocks. */
export interface Text {
  readonly _tag: "Text"
  readonly line: string
}

/** Anything TLC says. */
export type Event = Message | Text

/** Severity of a message that reports an error. */
export const severityError = 1

interface Open {
  readonly code: number
  readonly severity: number
  readonly lines: Array<string>
  length: number
}

const marker = /@!@!@(?:STARTMSG (\d+):(\d+)|ENDMSG (\d+)) @!@!@/g

/** Longest text kept of one block; an error in a huge state must not fill the memory. */
const maxBlock = 4_000_000

/** A parser to be fed with lines; `end` reports blocks that a killed TLC left open. */
export interface Parser {
  readonly push: (line: string) => void
  readonly end: () => void
}

/** Makes a parser that hands each event to `emit`. */
export const makeParser = (emit: (event: Event) => void): Parser => {
  const stack: Array<Open> = []

  const add = (text: string, wholeLine: boolean) => {
    const block = stack.at(-1)
    if (block === undefined) {
      if (text !== "" || wholeLine) emit({ _tag: "Text", line: text })
      return
    }
    if (block.length > maxBlock) return
    block.lines.push(text)
    block.length += text.length
  }

  const close = () => {
    const block = stack.pop()!
    emit({
      _tag: "Message",
      code: block.code,
      severity: block.severity,
      text: block.lines.join("\n").trimEnd(),
      depth: stack.length
    })
  }

  return {
    push: (raw) => {
      const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw
      if (!line.includes("@!@!@")) return add(line, true)
      let from = 0
      for (const match of line.matchAll(marker)) {
        const before = line.slice(from, match.index)
        from = match.index + match[0].length
        if (before.trim() !== "") add(before, false)
        if (match[1] !== undefined) {
          stack.push({ code: Number(match[1]), severity: Number(match[2]), lines: [], length: 0 })
        } else if (stack.some((block) => block.code === Number(match[3]))) {
          // An end without its start is ignored; an end of an outer block also ends the inner ones.
          while (stack.at(-1)!.code !== Number(match[3])) close()
          close()
        }
      }
      const rest = line.slice(from)
      if (rest.trim() !== "") add(rest, false)
    },
    end: () => {
      while (stack.length > 0) close()
    }
  }
}

/**
 * Cuts chunks of bytes into lines. Bytes are decoded only when a line is complete, so a character that is split between
 * two chunks stays whole.
 */
export const makeLineSplitter = (
  onLine: (line: string) => void
): { readonly push: (chunk: Buffer) => void; readonly end: () => void } => {
  let pending: Array<Buffer> = []
  return {
    push: (chunk) => {
      let from = 0
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
        if (pending.length > 0) {
          pending.push(chunk.subarray(from, at))
          onLine(Buffer.concat(pending).toString("utf8"))
          pending = []
        } else {
          onLine(chunk.toString("utf8", from, at))
        }
        from = at + 1
      }
      if (from < chunk.length) pending.push(chunk.subarray(from))
    },
    end: () => {
      if (pending.length > 0) onLine(Buffer.concat(pending).toString("utf8"))
      pending = []
    }
  }
}
