/** Short ways to say which producer, which batch and which request a test is about. */
import { Limits, Partition, Producer, type Replica, Rules, type Sender, Sequence } from "../../src/core/index.ts"

export const maxSequence = Limits.kafka.maxSequence

/** The rules and limits of a broker. */
export const context = (
  over: { readonly limits?: Partial<Limits.Limits>; readonly rules?: Partial<Rules.Rules> } = {}
): Replica.Context => ({
  limits: { ...Limits.kafka, ...over.limits },
  rules: { ...Rules.base, ...over.rules }
})

/** A producer's configuration; idempotent unless told otherwise. */
export const config = (over: Partial<Sender.Config> = {}): Sender.Config => ({
  acks: "all",
  idempotence: true,
  retries: 2147483647,
  maxInFlight: 5,
  limits: Limits.kafka,
  rules: Rules.base,
  ...over
})

/** A producer with id 7 and epoch 0; each list gives the record counts of the batches 1, 2, … of a partition. */
export const producer = (...counts: ReadonlyArray<ReadonlyArray<number>>): Producer.Producer =>
  counts.reduce(
    (made, partition, number) =>
      partition.reduce(
        (queued, count, i) => Producer.enqueue(queued, number, i + 1, Array.from({ length: count }, () => i + 1)),
        made
      ),
    Producer.make({ id: 7, epoch: 0 }, counts.length)
  )

/** The same producer when its next sequence is `sequence` and everything before is acknowledged. */
export const warm = (cold: Producer.Producer, sequence: number): Producer.Producer => ({
  ...cold,
  senders: cold.senders.map((sender) => ({ ...sender, nextSequence: sequence, lastAcked: sequence - 1 }))
})

export const send = (partition = 0): Producer.Input => ({ _tag: "Send", partition, leader: 1 })
export const resend = (partition = 0): Producer.Input => ({ _tag: "Resend", partition, leader: 1 })
export const answer = (
  batch: number,
  error: Producer.Response["error"] = "NONE",
  offset = error === "NONE" ? 0 : Sequence.none,
  partition = 0
): Producer.Input => ({ _tag: "ReceiveResponse", partition, response: { batch, error, offset } })
export const expire = (batch: number, partition = 0): Producer.Input => ({ _tag: "ExpireBatch", partition, batch })
export const resolve = (partition = 0): Producer.Input => ({ _tag: "ResolveSequences", partition })
export const bump: Producer.Input = { _tag: "BumpEpoch" }
export const disconnect = (partition = 0): Producer.Input => ({ _tag: "Disconnect", partition })

/** Takes the inputs in turn; each must be possible. The outputs are those of the last. */
export const after = (
  settings: Sender.Config,
  before: Producer.Producer,
  ...inputs: ReadonlyArray<Producer.Input>
): Producer.Step =>
  inputs.reduce<Producer.Step>(([state], input) => {
    const step = Producer.step(settings, state, input)
    if (step === undefined) throw new Error(`${input._tag} is not possible here`)
    return step
  }, [before, []])

/** A batch of producer 7, epoch 0. */
export const batch = (
  sequence: number,
  records: ReadonlyArray<Replica.Payload> = ["r"],
  over: Partial<Replica.ProducerBatch> = {}
): Replica.ProducerBatch => ({ producerId: 7, epoch: 0, sequence, records, ...over })

/** A request for broker 1 on a connection that the producer listens on, with acks=all. */
export const arrival = (
  sent: Replica.ProducerBatch,
  over: Partial<Omit<Partition.Arrival, "request">> & Partial<Pick<Producer.Request, "batch" | "broker">> = {}
): Partition.Arrival => ({
  request: { ...sent, connection: 0, broker: over.broker ?? 1, batch: over.batch ?? 1 },
  acks: over.acks ?? "all",
  open: over.open ?? true
})

/** The same for partitions. */
export const served = (
  rules: Replica.Context,
  before: Partition.Partition,
  ...inputs: ReadonlyArray<Partition.Input>
): Partition.Step =>
  inputs.reduce<Partition.Step>(([state], input) => {
    const step = Partition.step(rules, state, input)
    if (step === undefined) throw new Error(`${input._tag} is not possible here`)
    return step
  }, [before, []])
