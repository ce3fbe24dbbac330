/**
 * The guarantee matrix as tables: one for all rows of a group that ask the same.
 */
import type { CellReport, RowReport, Verdict } from "../conformance/Guarantees.ts"
import * as Output from "./Output.ts"

/** More columns than these have a letter for a head, and a legend. */
const wordyColumns = 6

/** Characters that a line may have. */
const width = 120

const mark = (verdict: Verdict): string => verdict === "holds" ? "✔" : verdict === "violated" ? "✘" : "–"

/** One mark when all witnesses that spoke agree, and otherwise one for each. */
const cellOf = ({ explorer, histories, shortest, spec }: CellReport): string => {
  const said = [["TLC", spec], ["explorer", explorer], ["histories", histories]] as const
  const heard = said.flatMap(([who, verdict]) =>
    verdict === undefined || (who === "TLC" && verdict === "skipped") ? [] : [{ who, verdict }]
  )
  const [first] = heard
  if (first === undefined) return "–"
  if (heard.some(({ verdict }) => verdict !== first.verdict)) {
    return said.flatMap(([who, verdict]) => verdict === undefined ? [] : [`${who} ${mark(verdict)}`]).join(" ")
  }
  return first.verdict === "violated" && shortest !== undefined ? `✘ ${shortest}` : mark(first.verdict)
}

/** `NoDuplicate` as the head of a column: no duplicate. */
const headOf = (property: string): string => property.replaceAll(/(?<!^)(?=[A-Z])/g, " ").toLowerCase()

const letterOf = (place: number): string => String.fromCharCode("A".charCodeAt(0) + place)

/** The properties with their heads. */
const columnsOf = (asked: ReadonlyArray<string>) =>
  asked.map((property, i) => ({
    property,
    head: asked.length > wordyColumns ? letterOf(i) : headOf(property)
  }))

type Column = ReturnType<typeof columnsOf>[number]

const grid = (rows: ReadonlyArray<RowReport>, columns: ReadonlyArray<Column>, labelled: boolean) =>
  Output.table([
    [rows[0]!.group, ...columns.map(({ head }) => head), ...(labelled ? ["guarantee"] : [])],
    ...rows.map(({ cells, label, title }) => [
      title,
      ...columns.map(({ property }) => cellOf(cells[property]!)),
      ...(labelled ? [label] : [])
    ])
  ], ["left", ...columns.map(() => "left" as const), ...(labelled ? ["left" as const] : [])])

const chunked = <A>(items: ReadonlyArray<A>, size: number): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))

/** The columns side by side where they fit, and otherwise in as few tables as possible, the last one with the labels. */
const wrapped = (rows: ReadonlyArray<RowReport>, columns: ReadonlyArray<Column>): ReadonlyArray<string> => {
  const labelled = rows.some(({ label }) => label !== "")
  for (let tables = 1;; tables++) {
    const size = Math.ceil(columns.length / tables)
    const chunks = chunked(columns, size)
    const lines = chunks.map((chunk, i) => grid(rows, chunk, labelled && i === chunks.length - 1))
    if (size === 1 || columns.length <= wordyColumns || lines.flat().every((line) => line.length <= width)) {
      return lines.flatMap((table, i) => i === 0 ? table : ["", ...table])
    }
  }
}

const listed = (names: ReadonlyArray<string>): string =>
  names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`

/** Who was asked of a row. */
const witnessesOf = ({ cells, histories }: RowReport): ReadonlyArray<string> => {
  const [cell] = Object.values(cells)
  return [
    ...(cell?.spec === undefined ? [] : ["TLC"]),
    ...(cell?.explorer === undefined ? [] : ["explorer"]),
    ...(histories === undefined ? [] : ["histories"])
  ]
}

/** How many there are to ask. */
const allWitnesses = 3

const tableOf = (rows: ReadonlyArray<RowReport>): ReadonlyArray<string> => {
  const [first] = rows
  const columns = columnsOf(Object.keys(first!.cells))
  const witnesses = witnessesOf(first!)
  return [
    ...(witnesses.length < allWitnesses ? [`by ${listed(witnesses)} alone`] : []),
    ...wrapped(rows, columns),
    ...(columns.length > wordyColumns
      ? columns.map(({ head, property }) => `${head}  ${headOf(property)}: ${first!.sentences[property]}`)
      : [])
  ]
}

/** Rows are alike if they stand in one table. */
const kindOf = (row: RowReport): string => JSON.stringify([row.group, witnessesOf(row), Object.keys(row.cells)])

export const render = (rows: ReadonlyArray<RowReport>): ReadonlyArray<string> =>
  Array.from(Map.groupBy(rows, kindOf).values(), tableOf).flatMap((lines, i) => i === 0 ? lines : ["", ...lines])
