/**
 * The model configuration file (`.cfg`) of TLC as data.
 *
 * The parser is stricter than TLC on purpose. TLC lets three mistakes pass in silence and then reports success for a model
 * that nobody meant: a section without a name, a constant that is given twice (the last one wins), and, checked in
 * `Guard.ts`, a constant that no module declares. Here the first two are errors.
 */
import { Data, Result } from "effect"
import * as Value from "./Value.ts"

/** `name <- definition`, or `name <- [module] definition` to replace a name inside one module only. */
export interface Substitution {
  readonly definition: string
  readonly module?: string
}

/** What a configuration file says. Absent sections are empty lists or `undefined`. */
export interface Config {
  readonly specification?: string
  readonly init?: string
  readonly next?: string
  /** `name = value`; also values for operators the module already defines, which TLC overrides. */
  readonly constants: Readonly<Record<string, Value.Value>>
  readonly substitutions: Readonly<Record<string, Substitution>>
  readonly invariants: ReadonlyArray<string>
  readonly properties: ReadonlyArray<string>
  readonly constraints: ReadonlyArray<string>
  readonly actionConstraints: ReadonlyArray<string>
  readonly symmetry?: string
  readonly view?: string
  readonly alias?: string
  readonly postcondition?: string
  readonly checkDeadlock?: boolean
  /** Line on which each constant, substitution, invariant, property or other name stands. */
  readonly lines: Readonly<Record<string, number>>
}

/** A configuration file that TLC would refuse, or would accept and misread. */
export class ConfigError extends Data.TaggedError("ConfigError")<{
  readonly message: string
  readonly line: number
}> {}

// The token of a set is the whole text of the set, so the value parser can read it.
interface Token {
  readonly kind: "word" | "string" | "number" | "set" | "symbol"
  readonly text: string
  readonly line: number
}

type Section =
  | "specification"
  | "init"
  | "next"
  | "constants"
  | "invariants"
  | "properties"
  | "constraints"
  | "actionConstraints"
  | "symmetry"
  | "view"
  | "alias"
  | "postcondition"
  | "checkDeadlock"

const keywords: ReadonlyMap<string, Section> = new Map<string, Section>([
  ["SPECIFICATION", "specification"],
  ["INIT", "init"],
  ["NEXT", "next"],
  ["CONSTANT", "constants"],
  ["CONSTANTS", "constants"],
  ["INVARIANT", "invariants"],
  ["INVARIANTS", "invariants"],
  ["PROPERTY", "properties"],
  ["PROPERTIES", "properties"],
  ["CONSTRAINT", "constraints"],
  ["CONSTRAINTS", "constraints"],
  ["ACTION_CONSTRAINT", "actionConstraints"],
  ["ACTION_CONSTRAINTS", "actionConstraints"],
  ["SYMMETRY", "symmetry"],
  ["VIEW", "view"],
  ["ALIAS", "alias"],
  ["POSTCONDITION", "postcondition"],
  ["CHECK_DEADLOCK", "checkDeadlock"]
])

const fail = (message: string, line: number): never => {
  throw new ConfigError({ message: `line ${line}: ${message}`, line })
}

// ---------------------------------------------------------------------------------------------------------------------
// Lexer
// ---------------------------------------------------------------------------------------------------------------------

// Sticky, and in this order: line comment, start of a block comment, string, word or number, `<-`, one character.
const lexeme = /\\\*[^\n]*|\(\*|"(?:[^"\\\n]|\\.)*"|[A-Za-z0-9_!]+|<-|\S/y

/** Index just after the block comment that opens before `from`; block comments nest. */
const skipComment = (text: string, from: number, line: number): number => {
  let depth = 1
  for (let i = from; i < text.length; i++) {
    const pair = text.slice(i, i + 2)
    if (pair === "(*") {
      depth++
      i++
    } else if (pair === "*)") {
      depth--
      i++
      if (depth === 0) return i + 1
    }
  }
  return fail("comment without an end", line)
}

const countLines = (text: string, from: number, to: number): number => {
  let count = 0
  for (let i = from; i < to; i++) if (text.charCodeAt(i) === 10) count++
  return count
}

const tokenize = (text: string): ReadonlyArray<Token> => {
  const tokens: Array<Token> = []
  // Braces are gathered into one token, so that comments and line breaks inside a set cost the grammar nothing.
  let set: { text: string; depth: number; readonly line: number } | undefined
  let line = 1
  let at = 0
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code === 10) line++
    if (code <= 32) {
      at++
      continue
    }
    lexeme.lastIndex = at
    const lexed = lexeme.exec(text)![0]
    if (lexed === "(*") {
      const end = skipComment(text, at + 2, line)
      line += countLines(text, at, end)
      at = end
      continue
    }
    at += lexed.length
    if (lexed.startsWith("\\*")) continue
    if (lexed === "{") {
      if (set === undefined) set = { text: "", depth: 0, line }
      set.depth++
    }
    if (set !== undefined) {
      set.text += `${lexed} `
      if (lexed === "}" && --set.depth === 0) {
        tokens.push({ kind: "set", text: set.text, line: set.line })
        set = undefined
      }
      continue
    }
    const kind = lexed.startsWith("\"") && lexed.length > 1
      ? "string"
      : /^[0-9]+$/.test(lexed)
      ? "number"
      : /^[A-Za-z0-9_!]+$/.test(lexed)
      ? "word"
      : "symbol"
    tokens.push({ kind, text: lexed, line })
  }
  if (set !== undefined) return fail("set without an end", set.line)
  return tokens
}

// ---------------------------------------------------------------------------------------------------------------------
// Grammar
// ---------------------------------------------------------------------------------------------------------------------

const readValue = (token: Token): Value.Value => {
  if (token.kind === "symbol") {
    const hint = token.text === "-" ? "; TLC reads no negative numbers here: define one in a module and write <-" : ""
    return fail(`expected a value, got ${token.text}${hint}`, token.line)
  }
  // TLC reads no ranges, sequences or records; inside a set the value parser would take them, so they are kept out here.
  if (token.kind === "set" && /\.\.|<<|\[|:>|@@|-/.test(token.text.replace(/"(?:[^"\\]|\\.)*"/g, "\"\""))) {
    return fail("a set may hold only numbers, strings, TRUE, FALSE, model values and sets", token.line)
  }
  const value = Value.parse(token.text)
  return Result.isSuccess(value) ? value.success : fail(value.failure.message, token.line)
}

/** The tokens of one section, without its keyword. */
interface Block {
  readonly section: Section
  readonly keyword: Token
  readonly body: ReadonlyArray<Token>
}

const splitSections = (tokens: ReadonlyArray<Token>): ReadonlyArray<Block> => {
  const blocks: Array<{ section: Section; keyword: Token; body: Array<Token> }> = []
  for (const token of tokens) {
    const section = token.kind === "word" ? keywords.get(token.text) : undefined
    if (section !== undefined) blocks.push({ section, keyword: token, body: [] })
    else if (blocks.length === 0) return fail(`expected a section such as SPECIFICATION, got ${token.text}`, token.line)
    else blocks.at(-1)!.body.push(token)
  }
  for (const { body, keyword } of blocks) {
    if (body.length === 0) return fail(`${keyword.text} names nothing, so TLC would check nothing`, keyword.line)
  }
  return blocks
}

const parseTokens = (tokens: ReadonlyArray<Token>): Config => {
  const single = new Map<Section, string>()
  const lists = new Map<Section, Array<string>>()
  const constants: Record<string, Value.Value> = {}
  const substitutions: Record<string, Substitution> = {}
  const lines: Record<string, number> = {}

  const readConstants = (body: ReadonlyArray<Token>) => {
    for (let i = 0; i < body.length;) {
      const name = body[i]!
      const sign = body[i + 1]
      const next = body[i + 2]
      if (name.kind !== "word") return fail(`expected the name of a constant, got ${name.text}`, name.line)
      if (sign === undefined || next === undefined || (sign.text !== "=" && sign.text !== "<-")) {
        return fail(`expected ${name.text} = value or ${name.text} <- definition`, name.line)
      }
      if (Object.hasOwn(constants, name.text) || Object.hasOwn(substitutions, name.text)) {
        return fail(
          `${name.text} is given twice (first on line ${lines[name.text]}); TLC would silently keep the last`,
          name.line
        )
      }
      lines[name.text] = name.line
      i += 3
      if (sign.text === "=") {
        constants[name.text] = readValue(next)
      } else if (next.text === "[") {
        const [module, close, definition] = [body[i], body[i + 1], body[i + 2]]
        if (module?.kind !== "word" || close?.text !== "]" || definition?.kind !== "word") {
          return fail(`expected ${name.text} <- [Module] definition`, name.line)
        }
        substitutions[name.text] = { definition: definition.text, module: module.text }
        i += 3
      } else if (next.kind === "word") {
        substitutions[name.text] = { definition: next.text }
      } else {
        return fail(`expected the name of a definition, got ${next.text}`, next.line)
      }
    }
  }

  for (const { body, keyword, section } of splitSections(tokens)) {
    switch (section) {
      case "constants":
        readConstants(body)
        break
      case "invariants":
      case "properties":
      case "constraints":
      case "actionConstraints": {
        const names = lists.get(section) ?? []
        for (const name of body) {
          if (name.kind !== "word") return fail(`expected a name after ${keyword.text}, got ${name.text}`, name.line)
          names.push(name.text)
          lines[name.text] = name.line
        }
        lists.set(section, names)
        break
      }
      default: {
        const [name, extra] = body
        if (name!.kind !== "word") return fail(`expected a name after ${keyword.text}, got ${name!.text}`, name!.line)
        if (extra !== undefined) return fail(`${keyword.text} takes one name, got also ${extra.text}`, extra.line)
        if (single.has(section)) return fail(`${keyword.text} is given twice`, keyword.line)
        if (section === "checkDeadlock" && name!.text !== "TRUE" && name!.text !== "FALSE") {
          return fail(`CHECK_DEADLOCK is TRUE or FALSE, got ${name!.text}`, name!.line)
        }
        single.set(section, name!.text)
        lines[name!.text] = name!.line
      }
    }
  }

  const named = <K extends Section>(key: K) => single.has(key) ? { [key]: single.get(key)! } as Record<K, string> : {}
  return {
    ...named("specification"),
    ...named("init"),
    ...named("next"),
    ...named("symmetry"),
    ...named("view"),
    ...named("alias"),
    ...named("postcondition"),
    ...(single.has("checkDeadlock") ? { checkDeadlock: single.get("checkDeadlock") === "TRUE" } : {}),
    constants,
    substitutions,
    invariants: lists.get("invariants") ?? [],
    properties: lists.get("properties") ?? [],
    constraints: lists.get("constraints") ?? [],
    actionConstraints: lists.get("actionConstraints") ?? [],
    lines
  }
}

/** Reads the text of a configuration file. */
export const parse = (text: string): Result.Result<Config, ConfigError> => {
  try {
    return Result.succeed(parseTokens(tokenize(text)))
  } catch (error) {
    if (error instanceof ConfigError) return Result.fail(error)
    throw error
  }
}
