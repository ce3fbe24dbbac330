/**
 * What `spec/README.md` says about the specification and the code, compared with their texts.
 *
 * Every check is a function from texts to complaints, one sentence each; no complaint means that they agree. Only names
 * are compared: whether an action and a function do the same is for the state graphs to tell.
 */

/** The first line of a definition: `Send(p) ==`. */
const definition = /^([A-Za-z]\w*)(?:\([^)]*\))? ==/gm

/** A row of a table, by its column titles. */
export type Row = Readonly<Record<string, string>>

export interface Table {
  /** The title of the first column says what the rows are about. */
  readonly subject: string
  readonly rows: ReadonlyArray<Row>
}

/** The texts of files, by name without directory and extension. */
export type Texts = Readonly<Record<string, string>>

/** One specification, its code, and what README says of them. */
export interface Subject {
  /** The module with `Next`. */
  readonly specification: string
  /** The definitions that are choices of actions, `Next` and what is taken besides. */
  readonly choices: ReadonlyArray<string>
  /** The part of README that is about it. */
  readonly readme: string
  /** Its modules, one after the other. */
  readonly tla: string
  /** Those of them that `Next` needs. */
  readonly behaviour: string
  /** All modules of the core. */
  readonly core: Texts
  /** The module of the core that has its rules. */
  readonly rules: string
  /** The folder of `src/model`. */
  readonly model: string
  /** The modules of that folder that have its actions. */
  readonly actions: string
  /** `Properties.ts` of that folder. */
  readonly properties: string
  /** Modules that extend it: releases and exhibits. */
  readonly overriding: Texts
  /** Its configurations. */
  readonly configurations: Texts
}

const chapters = (markdown: string): ReadonlyArray<string> => markdown.split(/^(?=## )/m)

const headingOf = (chapter: string): string => chapter.match(/^## (.*)/)?.[1] ?? ""

/** The headings of the second level. */
export const headings = (markdown: string): ReadonlyArray<string> => chapters(markdown).map(headingOf).slice(1)

/** From a heading of the second level to the next. */
export const chapter = (markdown: string, heading: string): string =>
  chapters(markdown).find((text) => headingOf(text) === heading) ?? ""

/** The text without these chapters. */
export const without = (markdown: string, left: ReadonlyArray<string>): string =>
  chapters(markdown).filter((text) => !left.includes(headingOf(text))).join("")

const cellsOf = (line: string): ReadonlyArray<string> =>
  line.slice(1, line.lastIndexOf("|")).split("|").map((c) => c.trim())

/** All tables of a Markdown text. */
export const tables = (markdown: string): ReadonlyArray<Table> => {
  const found: Array<{ subject: string; titles: ReadonlyArray<string>; rows: Array<Row> }> = []
  let open = false
  for (const line of markdown.split("\n")) {
    if (!line.startsWith("|")) {
      open = false
      continue
    }
    const cells = cellsOf(line)
    if (!open) {
      found.push({ subject: cells[0] ?? "", titles: cells, rows: [] })
      open = true
    } else if (!/^\|[-| ]+\|$/.test(line)) {
      const { rows, titles } = found.at(-1)!
      rows.push(Object.fromEntries(titles.map((title, i) => [title, cells[i] ?? ""])))
    }
  }
  return found.map(({ rows, subject }) => ({ subject, rows }))
}

/** The rows of every table about `subject`. */
export const rowsAbout = (readme: string, subject: string): ReadonlyArray<Row> =>
  tables(readme).filter((table) => table.subject === subject).flatMap((table) => table.rows)

/** What stands between backquotes. */
export const codeIn = (text: string): ReadonlyArray<string> => Array.from(text.matchAll(/`([^`]+)`/g), (m) => m[1]!)

const named = (rows: ReadonlyArray<Row>, column: string): ReadonlyArray<string> =>
  rows.map((row) => codeIn(row[column] ?? "")[0] ?? row[column] ?? "")

const withoutComments = (tla: string): string => tla.replaceAll(/\(\*[\s\S]*?\*\)/g, "").replaceAll(/\\\*.*$/gm, "")

/** The operators that a module defines. */
export const operators = (tla: string): ReadonlyArray<string> =>
  Array.from(withoutComments(tla).matchAll(definition), (m) => m[1]!)

/** The body of a definition, up to the next blank line. */
const bodyOf = (tla: string, name: string): string => {
  const start = tla.search(new RegExp(`^${name}(?:\\([^)]*\\))? ==`, "m"))
  return start < 0 ? "" : withoutComments(tla.slice(start).split(/\n\s*\n/, 1)[0]!)
}

/** The actions that a definition is a choice of, in its order. */
export const actionsOf = (tla: string, definition: string): ReadonlyArray<string> => {
  const choices = bodyOf(tla, definition).split(/^\s*\\\/ /m).slice(1)
  const action = /^(?:\\E [^:]*:\s+)?([A-Z]\w*)(?:\([^)]*\))?\s*$/
  return [...new Set(choices.flatMap((choice) => choice.match(action)?.[1] ?? []))]
}

/** A section of a module: from its title to the next ruler. */
export const section = (tla: string, title: string): string => {
  const start = tla.indexOf(`(* ${title}.`)
  return start < 0 ? "" : tla.slice(start).split(/^-{10,}$/m, 1)[0]!
}

const keyword = String.raw`(?:ASSUME|VARIABLES?|CONSTANTS?|[A-Za-z]\w*(?:\([^)]*\))? ==|-{10,})`

const declared = (tla: string, kind: "CONSTANT" | "VARIABLE"): ReadonlyArray<readonly [string, string]> => {
  const block = new RegExp(`^${kind}S?\\b([\\s\\S]*?)(?=^${keyword})`, "gm")
  return Array.from(tla.matchAll(block)).flatMap(([, names]) =>
    Array.from(names!.matchAll(/^ +(\w+),? *(.*)$/gm), (m) => [m[1]!, m[2]!] as const)
  )
}

export const constants = (tla: string): ReadonlyArray<string> => declared(tla, "CONSTANT").map(([name]) => name)

/** The modules that a module extends. */
export const extended = (tla: string): ReadonlyArray<string> =>
  tla.match(/^EXTENDS (.*)$/m)?.[1]!.split(",").map((name) => name.trim()) ?? []

/** The constants that assumptions restrict. */
export const assumedConstants = (tla: string): ReadonlyArray<string> => {
  const assumptions = Array.from(tla.matchAll(/^ASSUME\b[\s\S]*?(?=\n\s*\n)/gm), ([text]) => withoutComments(text))
    .join()
  return constants(tla).filter((name) => new RegExp(`\\b${name}\\b`).test(assumptions))
}

/** The keys of the object literals that have this name, one after the other. */
export const keysOf = (typescript: string, name: string): ReadonlyArray<string> => {
  const literals = typescript.matchAll(new RegExp(`^(?:export )?const ${name} = \\{([^}]*)\\}`, "gm"))
  return Array.from(literals).flatMap(([, body]) =>
    body!.split(",").map((key) => key.replaceAll(/\/\/.*$|:[\s\S]*/gm, "").trim()).filter((key) => key !== "")
  )
}

/** The members of an exported interface. */
export const membersOf = (typescript: string, name: string): ReadonlyArray<string> => {
  const body = typescript.match(new RegExp(`export interface ${name} \\{\\n([\\s\\S]*?)^\\}`, "m"))?.[1] ?? ""
  return Array.from(body.matchAll(/^ {2}readonly (\w+):/gm), (m) => m[1]!)
}

/** Whether a module of the core defines a function, exported or not, or has a rule of that name. */
const isFunction = (core: Texts, module: string, name: string): boolean => {
  const text = core[module]
  if (text === undefined) return false
  return membersOf(text, "Rules").includes(name)
    || new RegExp(`^(?:export )?(?:const ${name} = |function ${name}\\()`, "m").test(text)
}

const inputsOf = (typescript: string): ReadonlyArray<string> => {
  const union = typescript.match(/^export type Input =\n((?: {2}.*\n)*)/m)?.[1] ?? ""
  return Array.from(union.matchAll(/_tag: "(\w+)"/g), (m) => m[1]!)
}

const missing = (
  wanted: ReadonlyArray<string>,
  present: ReadonlyArray<string>,
  complaint: (name: string) => string
): ReadonlyArray<string> => wanted.filter((name) => !present.includes(name)).map(complaint)

const repeated = (names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names.filter((name, i) => names.indexOf(name) !== i).map((name) => `${name} has two rows`)

/** `Producer.send`, or `Producer.send` with the input that leads to it. */
const coreFunction = /`([A-Z]\w*)\.(\w+)`(?:, input `(\w+)`)?/g

/** Functions and inputs named in a cell that the core does not have. */
const missingFunctions = (core: Texts, cell: string): ReadonlyArray<string> =>
  Array.from(cell.matchAll(coreFunction)).flatMap(([, module, name, input]) => {
    const complaints: Array<string> = []
    if (!isFunction(core, module!, name!)) complaints.push(`src/core has no ${module}.${name}`)
    if (input !== undefined && !inputsOf(core[module!] ?? "").includes(input)) {
      complaints.push(`${module} has no input ${input}`)
    }
    return complaints
  })

/** `Next`, the table of actions and `actions` of the model's modules name the same actions. */
export const checkActions = ({ actions, choices, core, model, readme, tla }: Subject): ReadonlyArray<string> => {
  const file = `src/model/${model}/Actions.ts`
  const rows = rowsAbout(readme, "action")
  const documented = named(rows, "action")
  const specified = choices.flatMap((choice) => actionsOf(tla, choice))
  const implemented = keysOf(actions, "actions")
  if (specified.length === 0) return ["no actions found in Next"]
  const sameNames = specified.length === implemented.length && specified.every((name) => implemented.includes(name))
  const sameOrder = specified.every((name, i) => implemented[i] === name)
  return [
    ...missing(specified, documented, (name) => `action ${name} of Next has no row`),
    ...missing(documented, specified, (name) => `${name} has a row and is no action of Next`),
    ...repeated(documented),
    ...missing(specified, implemented, (name) => `action ${name} of Next is missing in ${file}`),
    ...missing(implemented, specified, (name) => `action ${name} of ${file} is missing in Next`),
    ...(sameNames && !sameOrder ? [`${file} and Next have their actions in different orders`] : []),
    ...rows.flatMap((row) => {
      const cell = row["core function"] ?? ""
      return cell.match(coreFunction) === null ? [`the row of ${row["action"]} names no core function`] : []
    }),
    ...rows.flatMap((row) => missingFunctions(core, row["core function"] ?? ""))
  ]
}

/**
 * The operators of the section RULES, the table of rules and `Rules` of the core's module name the same rules. An
 * operator that no module may replace has a row that says "helper" and names another function.
 */
export const checkRules = ({ core, readme, rules: module, tla }: Subject): ReadonlyArray<string> => {
  const file = `src/core/${module}.ts`
  const rows = rowsAbout(readme, "rule")
  const specified = operators(section(tla, "RULES"))
  const implemented = membersOf(core[module] ?? "", "Rules")
  const helpers = named(rows.filter((row) => row["core function"]?.includes("helper")), "rule")
  const rules = specified.filter((name) => !helpers.includes(name))
  if (specified.length === 0) return ["no operators found in the section RULES"]
  return [
    ...missing(specified, named(rows, "rule"), (name) => `rule ${name} has no row`),
    ...missing(named(rows, "rule"), specified, (name) => `${name} has a row and is no operator of the section RULES`),
    ...repeated(named(rows, "rule")),
    ...missing(rules, implemented, (name) => `rule ${name} is missing in ${file}`),
    ...missing(implemented, rules, (name) => `rule ${name} of ${file} is missing in the section RULES`),
    ...rows.flatMap((row) => missingFunctions(core, row["core function"] ?? "")),
    ...rows.filter((row) => {
      const name = codeIn(row["rule"] ?? "")[0] ?? ""
      return !helpers.includes(name) && codeIn(row["core function"] ?? "")[0] !== `${module}.${name}`
    }).map((row) => `the row of ${row["rule"]} does not name the function of that name`)
  ]
}

/** The modules that replace a rule are those that its row names. */
export const checkOverrides = ({ overriding, readme, tla }: Subject): ReadonlyArray<string> => {
  const rules = operators(section(tla, "RULES"))
  const complaints: Array<string> = []
  for (const row of rowsAbout(readme, "rule")) {
    const rule = codeIn(row["rule"] ?? "")[0] ?? ""
    const replacing = Object.entries(overriding)
      .filter(([, text]) => operators(text).some((name) => name.startsWith(`${rule}_`)))
      .map(([module]) => module)
    const blamed = codeIn(row["wrong in"] ?? "")
    complaints.push(
      ...missing(replacing, blamed, (module) => `the row of ${rule} does not name ${module}, which replaces it`)
    )
    complaints.push(
      ...missing(blamed, replacing, (module) => `the row of ${rule} names ${module}, which does not replace it`)
    )
  }
  for (const [module, text] of Object.entries(overriding)) {
    for (const name of operators(text)) {
      if (!rules.some((rule) => name.startsWith(`${rule}_`))) complaints.push(`${name} of ${module} replaces no rule`)
    }
  }
  return complaints
}

/** Every property of the code has an operator and a row, and every row an operator; so has what configurations check. */
export const checkProperties = (
  { configurations, model, properties, readme, tla }: Subject
): ReadonlyArray<string> => {
  const file = `src/model/${model}/Properties.ts`
  const rows = rowsAbout(readme, "property")
  const documented = named(rows, "property")
  const specified = operators(tla)
  const implemented = [...keysOf(properties, "invariants"), ...keysOf(properties, "stepProperties")]
  if (implemented.length === 0) return [`no properties found in ${file}`]
  const checked = new Set(Object.values(configurations).flatMap(checkedProperties))
  return [
    ...missing(implemented, specified, (name) => `property ${name} of ${file} is missing in the spec`),
    ...missing(implemented, documented, (name) => `property ${name} of ${file} has no row`),
    ...missing(documented, specified, (name) => `${name} has a row and is no operator of the spec`),
    ...repeated(documented),
    ...missing([...checked], documented, (name) => `property ${name} of a configuration has no row`),
    ...rows.flatMap((row) => {
      const name = codeIn(row["property"] ?? "")[0] ?? ""
      const place = row["in code"] ?? ""
      if (place.startsWith("TLC only")) {
        return implemented.includes(name) ? [`the row of ${name} says "TLC only", but the code has it`] : []
      }
      return implemented.includes(name) && codeIn(place)[0] === `Properties.${name}`
        ? []
        : [`${name} is not in the code`]
    })
  ]
}

/** The invariants and properties that a configuration asks TLC for. */
export const checkedProperties = (configuration: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  let listing = false
  for (const line of configuration.replaceAll(/\\\*.*$/gm, "").split("\n")) {
    const [, word, rest] = line.match(/^([A-Z_]+)\b(.*)$/) ?? []
    if (word !== undefined) listing = /^(?:INVARIANTS?|PROPERT(?:Y|IES))$/.test(word)
    if (listing) found.push(...(rest ?? line).split(/\s+/).filter((name) => name !== ""))
  }
  return found
}

/** Whether a configuration gives all these constants a value. */
export const assigns = (configuration: string, names: ReadonlyArray<string>): boolean => {
  const text = configuration.replaceAll(/\\\*.*$/gm, "")
  return names.every((name) => new RegExp(`^\\s+${name} =`, "m").test(text))
}

/** Every constant has a row, and every row a constant. */
export const checkConstants = ({ readme, tla }: Subject): ReadonlyArray<string> => {
  const documented = named(rowsAbout(readme, "constant"), "constant")
  const assumed = assumedConstants(tla)
  if (assumed.length === 0) return ["no constants found in ASSUME"]
  return [
    ...missing(assumed, documented, (name) => `constant ${name} is restricted by ASSUME and has no row`),
    ...missing(
      constants(tla).filter((name) => !assumed.includes(name)),
      documented,
      (name) => `constant ${name} has no row`
    ),
    ...missing(documented, constants(tla), (name) => `${name} has a row and is no constant`),
    ...repeated(documented)
  ]
}

/** Operators and functions named in the tables of Kafka's rules exist, and a row without any says that it is left out. */
export const checkKafkaRules = ({ core, readme, tla }: Subject): ReadonlyArray<string> => {
  const rows = rowsAbout(readme, "Kafka's rule")
  const known = operators(tla)
  if (rows.length === 0) return ["no table of Kafka's rules found"]
  return rows.flatMap((row) => {
    const spec = row["spec"] ?? ""
    const place = row["core"] ?? ""
    const isLeftOut = row["remark"]?.startsWith("left out") === true
    const isPlaced = codeIn(spec).length > 0 && codeIn(place).length > 0
    return [
      ...missing(
        codeIn(spec),
        known,
        (name) => `${name} in the row "${row["Kafka's rule"]}" is no operator of the spec`
      ),
      ...missingFunctions(core, place),
      ...(isPlaced === isLeftOut ? [`the row "${row["Kafka's rule"]}" has neither a place nor a reason, or both`] : [])
    ]
  })
}

/**
 * History variables are those that README lists and whose declaration calls them ghost or history; an action may update
 * them and never read them.
 */
export const checkHistory = ({ behaviour: tla, readme }: Subject): ReadonlyArray<string> => {
  const line = readme.match(/^History variables \(ghosts\): (.*)$/m)?.[1]
  if (line === undefined) return ["README does not say which variables are history"]
  const listed = line.startsWith("none") ? [] : codeIn(line)
  const variables = declared(tla, "VARIABLE")
  if (variables.length === 0) return ["no variables found"]
  const marked = variables.filter(([, comment]) => /ghost|history/i.test(comment)).map(([name]) => name)
  return [
    ...missing(listed, variables.map(([name]) => name), (name) => `${name} is listed as history and is no variable`),
    ...missing(listed, marked, (name) => `${name} is listed as history, and its declaration does not say so`),
    ...missing(marked, listed, (name) => `${name} is declared as history and not listed`),
    ...[...new Set([...listed, ...marked])].flatMap((name) => readersOf(tla, name))
  ]
}

/** The text without what `variable` becomes: after its prime, in its field of a record, or as itself but for a part. */
const withoutUpdates = (tla: string, variable: string): string => {
  const update = new RegExp(`\\b${variable}(?:' =|\\s*\\|->)`, "g")
  let rest = tla.replaceAll(`[${variable} EXCEPT`, "[")
  for (let found = update.exec(rest); found !== null; found = update.exec(rest)) {
    const start = found.index + found[0].length
    rest = rest.slice(0, found.index) + rest.slice(endOfExpression(rest, start))
    update.lastIndex = found.index
  }
  return rest
}

/** Where the expression that starts here ends: at a comma or bracket that is not its own, or where a line begins anew. */
const endOfExpression = (tla: string, start: number): number => {
  const tokens = /[([{]|<<|[)\]}]|>>|,|\n\s*(?:\/\\|\\\/|\n)/g
  tokens.lastIndex = start
  let depth = 0
  for (let token = tokens.exec(tla); token !== null; token = tokens.exec(tla)) {
    if (/^(?:[([{]|<<)$/.test(token[0])) depth++
    else if (depth === 0) return token.index
    else if (/^(?:[)\]}]|>>)$/.test(token[0])) depth--
  }
  return tla.length
}

/** Lines before the properties that read `variable`: not its own update, a list of variables, or `Init`. */
const readersOf = (tla: string, variable: string): ReadonlyArray<string> => {
  const behaviour = withoutUpdates(withoutComments(tla.split(/^\(\* PROPERTIES/m, 1)[0]!), variable)
  const init = withoutUpdates(bodyOf(tla, "Init"), variable)
  return behaviour.split("\n").filter((text) => {
    if (text.includes("UNCHANGED") || /^\w+ == <</.test(text) || init.includes(text)) return false
    if (new RegExp(`^ {2}${variable},?\\s*$`).test(text)) return false
    return new RegExp(`\\b${variable}\\b(?!')`).test(text)
  }).map((text) => `${variable} is history and read by an action: ${text.trim()}`)
}
