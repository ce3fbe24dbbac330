/**
 * As much of TLA+ as it takes to find the conditions of a module: definitions, and in them conjunctions, disjunctions,
 * implications, quantifiers, IF, CASE, LET and filters. Everything between those is a `term`.
 *
 * Lists of bullets are read by layout, as TLA+ defines it: an item ends at the first token that is not to the right of
 * its bullet. Not a parser for any module; it throws on what the specification does not use.
 */

interface Token {
  readonly text: string
  readonly start: number
  readonly end: number
  /** From 1. */
  readonly column: number
}

interface Span {
  readonly start: number
  readonly end: number
}

export type Node =
  | Span & { readonly kind: "and" | "or"; readonly items: ReadonlyArray<Node> }
  | Span & { readonly kind: "implies"; readonly left: Node; readonly right: Node }
  | Span & { readonly kind: "not"; readonly body: Node }
  | Span & {
    readonly kind: "quantifier"
    readonly every: boolean
    readonly domains: ReadonlyArray<Node>
    readonly body: Node
  }
  | Span & { readonly kind: "if"; readonly test: Node; readonly consequent: Node; readonly alternate: Node }
  | Span & { readonly kind: "case"; readonly arms: ReadonlyArray<Arm> }
  | Span & {
    readonly kind: "let"
    readonly definitions: ReadonlyArray<{ readonly name: string; readonly body: Node }>
    readonly body: Node
  }
  /** A set filter, a LAMBDA or a CHOOSE: `body` is what it asks. */
  | Span & {
    readonly kind: "filter"
    readonly choose: boolean
    readonly domains: ReadonlyArray<Node>
    readonly body: Node
  }
  | Span & {
    readonly kind: "term"
    /** Operators that stand between the operands of this term, not inside brackets. */
    readonly operators: ReadonlyArray<string>
    /** What stands in brackets, or as a whole expression after an operator. */
    readonly children: ReadonlyArray<Node>
    /** The words of the term and of all below it. */
    readonly words: ReadonlyArray<string>
    /** Set when the term is nothing but a parenthesised expression. */
    readonly wrapped: Node | undefined
    /** String literals of a set that stands right after `\in`, when all its elements are such. */
    readonly literals: ReadonlyArray<Span>
  }

/** One of several cases; OTHER has no test. */
export interface Arm {
  readonly test: Node | undefined
  readonly value: Node
}

export interface Definition {
  readonly name: string
  /** Reads the body; throws `TlaSyntaxError` where it holds what this parser does not know. */
  readonly body: () => Node
  /** Every word in the body. */
  readonly words: ReadonlySet<string>
  /** Whether the body itself has a prime or UNCHANGED. */
  readonly primed: boolean
}

/** The text with comments blanked, so that places stay what they are. */
export const blankComments = (text: string): string =>
  text.replace(/\(\*[\s\S]*?\*\)|\\\*[^\n]*/g, (comment) => comment.replace(/[^\n]/g, " "))

const lexeme =
  /"(?:[^"\\]|\\.)*"|\/\\|\\\/|\\[A-Za-z]+|\\|<=>|\|->|->|<-|=>|==|<=|>=|<<|>>|\[\]|<>|\.\.|:>|@@|[A-Za-z_]\w*|\d+|\S/g

const tokenize = (text: string, from: number, to: number): ReadonlyArray<Token> => {
  const tokens: Array<Token> = []
  for (const match of text.slice(from, to).matchAll(lexeme)) {
    const start = from + match.index
    tokens.push({
      text: match[0],
      start,
      end: start + match[0].length,
      column: start - text.lastIndexOf("\n", start - 1)
    })
  }
  return tokens
}

const infix = new Set(
  ["=", "#", "<", ">", "<=", ">=", "\\in", "\\notin", "\\subseteq", "\\cup", "\\cap", "\\", "+", "-", "*", "\\div"]
    .concat(["..", "\\o", "\\X", ":>", "@@", "%"])
)
const prefix = new Set(["-", "DOMAIN", "UNCHANGED", "SUBSET", "UNION", "ENABLED"])
const closing: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}", "<<": ">>" }
const isWord = (text: string): boolean => /^[A-Za-z_]\w*$/.test(text)
const keywords = new Set(["THEN", "ELSE", "IN", "OTHER", "EXCEPT", "IF", "LET", "CASE", "CHOOSE", "LAMBDA"])

/** A module that this parser does not understand. */
export class TlaSyntaxError extends Error {}

class Parser {
  readonly #tokens: ReadonlyArray<Token>
  readonly #name: string
  #at = 0
  /** Tokens in this column or left of it end what is being read. */
  #limit = 0

  constructor(name: string, tokens: ReadonlyArray<Token>) {
    this.#name = name
    this.#tokens = tokens
  }

  body(): Node {
    const node = this.expression()
    if (this.#at < this.#tokens.length) this.fail("nothing more")
    return node
  }

  /** The next token, unless layout has ended the expression. */
  peek(ahead = 0): string | undefined {
    const token = this.#tokens[this.#at + ahead]
    return token === undefined || token.column <= this.#limit ? undefined : token.text
  }

  take(expected?: string): Token {
    const token = this.#tokens[this.#at]
    if (token === undefined || this.peek() === undefined || (expected !== undefined && token.text !== expected)) {
      return this.fail(expected ?? "an expression")
    }
    this.#at++
    return token
  }

  fail(expected: string): never {
    const found = this.#tokens[this.#at]?.text ?? "the end"
    throw new TlaSyntaxError(`${this.#name}: expected ${expected}, found ${found}`)
  }

  get start(): number {
    return this.#tokens[this.#at]?.start ?? this.fail("an expression")
  }

  get end(): number {
    return this.#tokens[this.#at - 1]!.end
  }

  expression(): Node {
    const start = this.start
    const left = this.junction()
    if (this.peek() !== "=>" && this.peek() !== "<=>") return left
    this.take()
    const right = this.expression()
    return { kind: "implies", left, right, start, end: this.end }
  }

  junction(): Node {
    const start = this.start
    const first = this.peek()
    if (first === "/\\" || first === "\\/") return this.bullets(first)
    const items = [this.unary()]
    const operator = this.peek()
    if (operator !== "/\\" && operator !== "\\/") return items[0]!
    while (this.peek() === operator) {
      this.take()
      items.push(this.unary())
    }
    return { kind: operator === "/\\" ? "and" : "or", items, start, end: this.end }
  }

  bullets(bullet: string): Node {
    const start = this.start
    const { column } = this.#tokens[this.#at]!
    const outer = this.#limit
    const items: Array<Node> = []
    while (this.#tokens[this.#at]?.text === bullet && this.#tokens[this.#at]!.column === column) {
      this.#at++
      this.#limit = column
      items.push(this.expression())
      this.#limit = outer
    }
    return { kind: bullet === "/\\" ? "and" : "or", items, start, end: this.end }
  }

  unary(): Node {
    const start = this.start
    const next = this.peek()
    if (next === "~") {
      this.take()
      const body = this.unary()
      return { kind: "not", body, start, end: this.end }
    }
    if (next === "\\A" || next === "\\E") {
      this.take()
      const domains = this.binders()
      const body = this.expression()
      return { kind: "quantifier", every: next === "\\A", domains, body, start, end: this.end }
    }
    return this.term()
  }

  #isBinder(): boolean {
    return isWord(this.peek() ?? "") && this.peek(1) === "\\in"
  }

  /** `x, y \in S, z \in T :`; the sets. */
  binders(end = ":"): ReadonlyArray<Node> {
    const domains: Array<Node> = []
    while (this.peek() !== end) {
      const { text } = this.take()
      if (text === "\\in") domains.push(this.term())
      else if (text !== "," && !isWord(text)) this.fail("a bound variable")
    }
    this.take(end)
    return domains
  }

  block(): Node | undefined {
    const start = this.start
    switch (this.peek()) {
      case "IF": {
        this.take()
        const test = this.expression()
        this.take("THEN")
        const consequent = this.expression()
        this.take("ELSE")
        const alternate = this.expression()
        return { kind: "if", test, consequent, alternate, start, end: this.end }
      }
      case "CASE": {
        const arms: Array<Arm> = []
        do {
          this.take()
          const isOther = this.peek() === "OTHER"
          const test = isOther ? void this.take() : this.expression()
          this.take("->")
          arms.push({ test, value: this.expression() })
        } while (this.peek() === "[]")
        return { kind: "case", arms, start, end: this.end }
      }
      case "LET": {
        this.take()
        const definitions: Array<{ readonly name: string; readonly body: Node }> = []
        while (this.peek() !== "IN") {
          const name = this.take().text
          if (this.peek() === "(") { while (this.take().text !== ")"); }
          this.take("==")
          definitions.push({ name, body: this.expression() })
        }
        this.take("IN")
        const body = this.expression()
        return { kind: "let", definitions, body, start, end: this.end }
      }
      case "CHOOSE":
      case "LAMBDA": {
        const choose = this.take().text === "CHOOSE"
        const domains = this.binders()
        const body = this.expression()
        return { kind: "filter", choose, domains, body, start, end: this.end }
      }
      default:
        return undefined
    }
  }

  term(): Node {
    const first = this.#at
    const start = this.start
    const operators: Array<string> = []
    const children: Array<Node> = []
    const literals: Array<Span> = []
    let wrapped: Node | undefined
    for (;;) {
      while (prefix.has(this.peek() ?? "")) this.take()
      const next = this.peek()
      if (next === undefined) this.fail("an operand")
      const block = this.block()
      if (block !== undefined) {
        children.push(block)
      } else if (next === "~" || next === "\\A" || next === "\\E") {
        children.push(this.unary())
      } else if (closing[next] !== undefined) {
        if (next === "{" && operators.at(-1) === "\\in") literals.push(...this.literalSet())
        const inside = this.group()
        if (next === "(") wrapped = inside[0]
        children.push(...inside)
      } else if ((isWord(next) && !keywords.has(next)) || /^["\d@]/.test(next)) {
        this.take()
      } else {
        this.fail("an operand")
      }
      this.postfix(children)
      const operator = this.peek()
      if (operator === undefined || !infix.has(operator)) break
      this.take()
      operators.push(operator)
    }
    const words = this.#tokens.slice(first, this.#at).map(({ text }) => text)
    const alone = operators.length === 0 && wrapped !== undefined && wrapped.end < this.end && children.length === 1
      && this.#tokens[first]!.text === "(" && this.#tokens[this.#at - 1]!.text === ")"
    return {
      kind: "term",
      operators,
      children,
      words,
      wrapped: alone ? wrapped : undefined,
      literals,
      start,
      end: this.end
    }
  }

  postfix(children: Array<Node>): void {
    for (;;) {
      const next = this.peek()
      if (next === "'") {
        this.take()
      } else if (next === ".") {
        this.take()
        this.take()
      } else if (next === "(" || next === "[") {
        children.push(...this.group())
      } else {
        return
      }
    }
  }

  /** The elements of `{"a", "b"}`, without reading on. */
  literalSet(): ReadonlyArray<Span> {
    const found: Array<Span> = []
    for (let ahead = 1;; ahead += 2) {
      const token = this.#tokens[this.#at + ahead]
      if (token === undefined || !token.text.startsWith("\"")) return []
      found.push({ start: token.start, end: token.end })
      const separator = this.#tokens[this.#at + ahead + 1]?.text
      if (separator === "}") return found
      if (separator !== ",") return []
    }
  }

  /** What stands between brackets: the expressions in it. */
  group(): ReadonlyArray<Node> {
    const start = this.start
    const open = this.take().text
    const close = closing[open]!
    const found: Array<Node> = []
    if (open === "{" && this.#isBinder()) {
      const mark = this.#at
      this.take()
      this.take()
      const domain = this.term()
      if (this.peek() === ":") {
        this.take()
        const body = this.expression()
        this.take(close)
        return [{ kind: "filter", choose: false, domains: [domain], body, start, end: this.end }]
      }
      this.#at = mark
    }
    if (open === "[" && this.#isBinder()) found.push(...this.binders("|->"))
    while (this.peek() !== close) {
      const next = this.peek()
      if (open === "{" && next === ":") {
        this.take()
        found.push(...this.binders(close))
        return found
      }
      if (next === "," || next === "|->") {
        this.take()
      } else if (next === "EXCEPT" || next === "!") {
        while (this.take().text !== "=");
      } else {
        found.push(this.expression())
      }
    }
    this.take(close)
    return found
  }
}

/** The definitions of a module, in their order. */
export const definitions = (module: string): ReadonlyArray<Definition> => {
  const text = blankComments(module)
  const starts = [...text.matchAll(/^\S.*$/gm)].map(({ index }) => index)
  return [...text.matchAll(/^(\w+)(?:\([^)\n]*\))? *==/gm)].map((head) => {
    const name = head[1]!
    const to = starts.find((start) => start > head.index) ?? text.length
    const tokens = tokenize(text, head.index + head[0].length, to)
    return {
      name,
      words: new Set(tokens.map((token) => token.text).filter(isWord)),
      primed: tokens.some((token) => token.text === "'" || token.text === "UNCHANGED"),
      body: () => new Parser(name, tokens).body()
    }
  })
}
