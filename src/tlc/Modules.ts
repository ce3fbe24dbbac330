/**
 * A light look at TLA+ modules: which files a specification consists of, and which names they declare or define.
 *
 * It is no parser. It strips comments and strings and then looks for `EXTENDS`, `INSTANCE`, `CONSTANT` and `Name ==`, which
 * is enough to tell a misspelt constant from a real one without starting a JVM.
 */
import { existsSync, readFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"

/** What the modules of a specification contain. */
export interface Modules {
  /** Module files in the order they were found, the specification first. Standard modules are not among them. */
  readonly files: ReadonlyArray<string>
  /** Names of modules that are in no folder, hence standard or missing. */
  readonly elsewhere: ReadonlySet<string>
  /** Declared constants and defined operators. */
  readonly names: ReadonlySet<string>
}

/** The text with comments and strings blanked out, line by line, so that line numbers stay right. */
export const stripComments = (text: string): string => {
  let stripped = ""
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!
    const next = text[at + 1]
    if (char === "\n") {
      stripped += char
    } else if (char === "(" && next === "*") {
      depth++
      at++
      stripped += "  "
    } else if (depth > 0) {
      if (char === "*" && next === ")") {
        depth--
        at++
        stripped += " "
      }
      stripped += " "
    } else if (char === "\\" && next === "*") {
      while (at + 1 < text.length && text[at + 1] !== "\n") at++
    } else if (char === "\"") {
      const start = at
      at++
      while (at < text.length && text[at] !== "\"" && text[at] !== "\n") at += text[at] === "\\" ? 2 : 1
      if (text[at] === "\n") at--
      stripped += `"${" ".repeat(Math.max(0, at - start - 1))}"`
    } else {
      stripped += char
    }
  }
  return stripped
}

const list = /[A-Za-z0-9_]+(?:\s*\([\s_,]*\))?(?:\s*,\s*[A-Za-z0-9_]+(?:\s*\([\s_,]*\))?)*/y

const readNames = (text: string, names: Set<string>) => {
  for (const match of text.matchAll(/\bCONSTANTS?\b\s*/g)) {
    list.lastIndex = match.index + match[0].length
    for (const item of (list.exec(text)?.[0] ?? "").replace(/\([^)]*\)/g, "").split(",")) names.add(item.trim())
  }
  for (const match of text.matchAll(/([A-Za-z0-9_]+)\s*(?:\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^\]]*\])?\s*==/g)) {
    names.add(match[1]!)
  }
}

const readReferences = (text: string): ReadonlyArray<string> => [
  ...[...text.matchAll(/\bEXTENDS\s+([A-Za-z0-9_]+(?:\s*,\s*[A-Za-z0-9_]+)*)/g)].flatMap((match) =>
    match[1]!.split(",").map((name) => name.trim())
  ),
  ...[...text.matchAll(/\bINSTANCE\s+([A-Za-z0-9_]+)/g)].map((match) => match[1]!)
]

/** Reads the specification and all modules it uses, from its folder and from `modulePath`. */
export const read = (spec: string, modulePath: ReadonlyArray<string> = []): Modules => {
  const root = resolve(spec)
  const folders = [dirname(root), ...modulePath.map((folder) => resolve(folder))]
  const files: Array<string> = []
  const elsewhere = new Set<string>()
  const names = new Set<string>()
  const pending = [root]
  while (pending.length > 0) {
    const file = pending.shift()!
    if (files.includes(file)) continue
    files.push(file)
    const text = stripComments(readFileSync(file, "utf8"))
    readNames(text, names)
    for (const name of readReferences(text)) {
      const found = folders.map((folder) => join(folder, `${name}.tla`)).find((path) => existsSync(path))
      // A module inside the module is in this text already.
      if (found !== undefined) pending.push(found)
      else elsewhere.add(name)
    }
  }
  return { files, elsewhere, names }
}
