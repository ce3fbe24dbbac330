/**
 * The records that the demonstration is about: a file of comma-separated values, whose first column is the key.
 *
 * Lines that begin with `#` are comments, and the first other line names the columns. Quotes have no meaning.
 */
import { Data, Result } from "effect"

export interface InputRecord {
  readonly key: string
  /** The line as it is in the file. */
  readonly value: string
}

export interface Input {
  readonly columns: ReadonlyArray<string>
  readonly records: ReadonlyArray<InputRecord>
}

/** A file that holds no records; the message says where and why. */
export class InputError extends Data.TaggedError("InputError")<{ readonly message: string }> {}

const fail = (message: string) => Result.fail(new InputError({ message }))

/** Reads the text of a file with this name. */
export const read = (name: string, text: string): Result.Result<Input, InputError> => {
  let columns: ReadonlyArray<string> | undefined
  const records: Array<InputRecord> = []
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line === "" || line.startsWith("#")) continue
    const values = line.split(",")
    if (columns === undefined) {
      columns = values
      continue
    }
    if (values.length !== columns.length) {
      return fail(`${name}:${index + 1}: ${values.length} values, where the first line names ${columns.length} columns`)
    }
    records.push({ key: values[0]!, value: line })
  }
  if (columns === undefined || records.length === 0) {
    return fail(`${name}: no records; it takes a line of column names and a line for each record`)
  }
  return Result.succeed({ columns, records })
}

/** What becomes of a line: the number of its record, and its values by their columns, as JSON. */
export const transform = (columns: ReadonlyArray<string>, record: number, line: string): string =>
  JSON.stringify({ record, ...Object.fromEntries(line.split(",").map((value, i) => [columns[i]!, value])) })
