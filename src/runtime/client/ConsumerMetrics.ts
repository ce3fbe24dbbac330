/** What a consumer counts, by the names of KIP-714. The attribute `client_id` tells consumers apart. */
import { Metric } from "effect"

export const recordsConsumed = Metric.counter("org.apache.kafka.consumer.fetch.manager.records.consumed.total", {
  description: "Records that the application was given",
  incremental: true
})

export const fetches = Metric.counter("org.apache.kafka.consumer.fetch.manager.fetch.total", {
  description: "Fetch requests",
  incremental: true
})

export const rebalances = Metric.counter("org.apache.kafka.consumer.coordinator.rebalance.total", {
  description: "Rebalances of the group that the consumer took part in",
  incremental: true
})

export const commits = Metric.counter("org.apache.kafka.consumer.coordinator.commit.total", {
  description: "Commits of offsets",
  incremental: true
})
