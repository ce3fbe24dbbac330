/**
 * Frames as a transcript has them: without their size, and the same whatever was asked before on the connection.
 */

const sizeBytes = 4

const numbered = (frame: Uint8Array, correlationIdAt: number): Uint8Array => {
  const bytes = frame.slice(sizeBytes)
  bytes.fill(0, correlationIdAt, correlationIdAt + 4)
  return bytes
}

/** A request, from a frame with its size; before the correlation id are the key and the version of the API. */
export const request = (frame: Uint8Array): Uint8Array => numbered(frame, 4)

/** A response, from a frame with its size. */
export const response = (frame: Uint8Array): Uint8Array => numbered(frame, 0)

export const areEqual = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
