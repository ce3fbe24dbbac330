/** What a producer counts, by the names of KIP-714. The attribute `client_id` tells producers apart. */
import { Metric } from "effect"

export const recordsSent = Metric.counter("org.apache.kafka.producer.record.send.total", {
  description: "Records that were acknowledged",
  incremental: true
})

export const recordsFailed = Metric.counter("org.apache.kafka.producer.record.error.total", {
  description: "Records that failed",
  incremental: true
})

export const recordsRetried = Metric.counter("org.apache.kafka.producer.record.retry.total", {
  description: "Records that were sent again",
  incremental: true
})

export const requests = Metric.counter("org.apache.kafka.producer.request.total", {
  description: "Produce requests",
  incremental: true
})

export const bytesSent = Metric.counter("org.apache.kafka.producer.outgoing.byte.total", {
  description: "Bytes of batches in Produce requests",
  incremental: true
})
