/** Reads files out of a jar that Maven has put into its local repository. */
import { existsSync, readFileSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { inflateRawSync } from "node:zlib"

/** Of kafka-clients, where it is at hand. */
export const kafkaClients = (version: string): string | undefined => {
  const path = join(
    homedir(),
    ".m2/repository/org/apache/kafka/kafka-clients",
    version,
    `kafka-clients-${version}.jar`
  )
  return existsSync(path) ? path : undefined
}

const END_OF_DIRECTORY = 0x0605_4b50
const END_SIZE = 22
const ENTRY_SIZE = 46
const LOCAL_HEADER_SIZE = 30
const STORED = 0

/** The files whose names `wanted` takes, as text. */
export const read = (path: string, wanted: (name: string) => boolean): ReadonlyMap<string, string> => {
  const bytes = readFileSync(path)
  let end = bytes.length - END_SIZE
  while (bytes.readUInt32LE(end) !== END_OF_DIRECTORY) end--
  const found = new Map<string, string>()
  let at = bytes.readUInt32LE(end + 16)
  for (let count = bytes.readUInt16LE(end + 10); count > 0; count--) {
    const method = bytes.readUInt16LE(at + 10)
    const size = bytes.readUInt32LE(at + 20)
    const nameLength = bytes.readUInt16LE(at + 28)
    const name = bytes.toString("utf8", at + ENTRY_SIZE, at + ENTRY_SIZE + nameLength)
    if (wanted(name)) {
      const header = bytes.readUInt32LE(at + 42)
      const start = header + LOCAL_HEADER_SIZE + bytes.readUInt16LE(header + 26) + bytes.readUInt16LE(header + 28)
      const content = bytes.subarray(start, start + size)
      found.set(name, (method === STORED ? content : inflateRawSync(content)).toString("utf8"))
    }
    at += ENTRY_SIZE + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32)
  }
  return found
}
