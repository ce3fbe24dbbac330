/**
 * Where coordinators get producer ids from. It outlives them. `ProducerIdManager` and the controller in Kafka.
 */
export interface ProducerIds {
  /** The next producer id that nobody has. */
  readonly free: () => number
  /** Somebody has it now. */
  readonly take: () => void
}

/** All ids from 1 on. */
export const make = (): ProducerIds => {
  let free = 1
  return {
    free: () => free,
    take: () => {
      free++
    }
  }
}
