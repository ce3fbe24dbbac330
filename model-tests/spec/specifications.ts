/**
 * The specifications that `spec/README.md` speaks of, each with all that is said about it, as texts.
 */
import { readdirSync, readFileSync } from "node:fs"
import { basename, extname, join } from "node:path"
import * as Table from "./table.ts"

/** Where a specification, its code and what README says of it are. */
interface Place {
  /** The section of README; the rest of the page where there is none. */
  readonly heading?: string
  /** The module with `Next`. */
  readonly specification: string
  /** Definitions that are choices of actions besides. */
  readonly besides?: ReadonlyArray<string>
  /** Modules of its own besides: those that it extends, and those with its properties. */
  readonly modules: ReadonlyArray<string>
  /** The module of the core that has its rules. */
  readonly rules: string
  /** The folder of `src/model`. */
  readonly model: string
  /** Its modules with actions, in the order of `Next` and of `besides`; by default `Actions` alone. */
  readonly actions?: ReadonlyArray<string>
}

const places: ReadonlyArray<Place> = [
  { specification: "IdempotentProducer", modules: [], rules: "Rules", model: "idempotent" },
  {
    heading: "Transactions",
    specification: "Transactions",
    besides: ["Refusals", "RequestNext"],
    modules: [
      "TransactionRules",
      "TransactionProperties",
      "TransactionLiveness",
      "TransactionRefusals",
      "TransactionRequests"
    ],
    rules: "TransactionRules",
    model: "transactions",
    actions: ["ClientActions", "CoordinatorActions", "LeaderActions", "RefusalActions", "RequestActions"]
  },
  {
    heading: "Reading committed records",
    specification: "ReadCommitted",
    modules: [],
    rules: "FetchRules",
    model: "readCommitted"
  },
  {
    heading: "External sinks",
    specification: "ExternalSink",
    modules: [],
    rules: "SinkRules",
    model: "externalSink"
  }
]

const root = join(import.meta.dirname, "../..")
const read = (path: string): string => readFileSync(join(root, path), "utf8")

/** The files of a folder with this extension, by name; with those of its folders if `deep`. */
const readAll = (folder: string, extension: string, deep = false): Table.Texts =>
  Object.fromEntries(
    readdirSync(join(root, folder), { recursive: deep, encoding: "utf8" })
      .filter((file) => extname(file) === extension)
      .map((file) => [deep ? file : basename(file, extension), read(join(folder, file))])
  )

const readme = read("spec/README.md")
const core = readAll("src/core", ".ts")
const modules = { ...readAll("spec", ".tla"), ...readAll("spec/museum", ".tla") }

/** Every configuration there is, by path. */
export const configurations: Table.Texts = {
  ...readAll("spec/models", ".cfg", true),
  ...readAll("spec/museum", ".cfg")
}

/** The modules that extend one of these, directly or through others, by name. */
const extending = (own: ReadonlyArray<string>): Table.Texts => {
  const found = new Set(own)
  for (const base of found) {
    for (const [name, text] of Object.entries(modules)) {
      if (Table.extended(text).includes(base)) found.add(name)
    }
  }
  return Object.fromEntries([...found].filter((name) => !own.includes(name)).map((name) => [name, modules[name]!]))
}

const isDescribed = ({ heading }: Place): boolean => heading === undefined || Table.headings(readme).includes(heading)

const subjectOf = (
  { actions = ["Actions"], besides = [], heading, model, modules: others, rules, specification }: Place
): Table.Subject => {
  const own = [...others, specification]
  const headings = places.flatMap((place) => place.heading ?? [])
  const needed = [...Table.extended(modules[specification]!).filter((name) => own.includes(name)), specification]
  const textOf = (names: ReadonlyArray<string>): string => names.map((name) => modules[name]!).join("\n")
  // A constant of another module is one of some configurations only.
  const constants = Table.constants(textOf(needed))
  return {
    specification,
    choices: ["Next", ...besides],
    readme: heading === undefined ? Table.without(readme, headings) : Table.chapter(readme, heading),
    tla: textOf(own),
    behaviour: textOf(needed),
    core,
    rules,
    model,
    actions: actions.map((name) => read(`src/model/${model}/${name}.ts`)).join("\n"),
    properties: read(`src/model/${model}/Properties.ts`),
    overriding: extending(own),
    configurations: Object.fromEntries(
      Object.entries(configurations).filter(([, text]) => Table.assigns(text, constants))
    )
  }
}

const described = places.filter(isDescribed)

/** Whether README has what it should have of every specification. */
export const isComplete = described.length === places.length

/** One for each specification that README describes. */
export const subjects: ReadonlyArray<Table.Subject> = described.map(subjectOf)
