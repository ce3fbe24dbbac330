/**
 * The configuration of a broker that is its own controller, listens on this machine only, and keeps everything in one
 * folder. Times that tests would have to wait for are short.
 */
export type Properties = Readonly<Record<string, string | number | boolean>>

export interface Place {
  /** Where the broker keeps its logs. */
  readonly logs: string
  readonly port: number
  readonly controllerPort: number
}

/** What a broker must have to be found and ended. */
const fixed = ({ controllerPort, logs, port }: Place): Properties => ({
  "process.roles": "broker,controller",
  "node.id": 1,
  "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
  listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
  "advertised.listeners": `PLAINTEXT://127.0.0.1:${port}`,
  "controller.listener.names": "CONTROLLER",
  "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
  "log.dirs": logs
})

const defaults: Properties = {
  "num.partitions": 1,
  "default.replication.factor": 1,
  "min.insync.replicas": 1,
  "offsets.topic.replication.factor": 1,
  "offsets.topic.num.partitions": 1,
  "transaction.state.log.replication.factor": 1,
  "transaction.state.log.min.isr": 1,
  "transaction.state.log.num.partitions": 1,
  "transaction.abort.timed.out.transaction.cleanup.interval.ms": 200,
  "group.initial.rebalance.delay.ms": 0,
  "log.cleaner.enable": false,
  // Indexes are allocated at this size, two per segment.
  "log.index.size.max.bytes": 65_536,
  // A broker that was killed cannot register again before its session has ended.
  "broker.session.timeout.ms": 1_500,
  "broker.heartbeat.interval.ms": 300,
  "num.network.threads": 2,
  "num.io.threads": 4
}

/** What is wrong with properties that a caller wants, for a person. */
export const problemOf = (properties: Properties): string | undefined => {
  const fixedNames = Object.keys(fixed({ logs: "", port: 0, controllerPort: 0 }))
  for (const [name, value] of Object.entries(properties)) {
    if (fixedNames.includes(name) || name === "log.dir" || name === "metadata.log.dir" || name === "broker.id") {
      return `${name} cannot be set: where the broker listens and keeps its logs is decided here`
    }
    if (!/^[\w.-]+$/.test(name)) return `${JSON.stringify(name)} is no name of a property`
    if (/[\r\n]/.test(String(value))) return `${name} has more than one line`
  }
  return undefined
}

const escaped = (value: string | number | boolean): string => String(value).replaceAll("\\", "\\\\")

/** The text of `server.properties`. */
export const text = (place: Place, properties: Properties): string =>
  Object.entries({ ...defaults, ...properties, ...fixed(place) })
    .map(([name, value]) => `${name}=${escaped(value)}\n`)
    .join("")
