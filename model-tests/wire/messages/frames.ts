/** The frames that Kafka has sent. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { brotliDecompressSync } from "node:zlib"

export interface Fixture {
  readonly message: string
  readonly version: number
  readonly correlationId: number
  /** In base64, with the size. */
  readonly bytes: string
  /** As Kafka shows it. Records are shown as their size, and what a version does not have, is not. */
  readonly value: Readonly<Record<string, unknown>>
}

export const fixtures: ReadonlyArray<Fixture> = brotliDecompressSync(
  readFileSync(join(import.meta.dirname, "frames.jsonl.br"))
).toString("utf8")
  .trimEnd()
  .split("\n")
  .slice(1)
  .map((line) => JSON.parse(line) as Fixture)

export const frameOf = ({ bytes }: Fixture): Uint8Array => new Uint8Array(Buffer.from(bytes, "base64"))
