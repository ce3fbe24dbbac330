/**
 * What is wrong with a message that should be written, or with bytes that should be one.
 */
export interface InvalidMessage {
  readonly _tag: "InvalidMessage"
  /** Which: `ProduceRequest`. */
  readonly message: string
  readonly version: number
  /** The field: `topicData[0].partitionData[1].index`; empty for the whole message. */
  readonly path: string
  readonly reason: string
}

export const make = (
  { name }: { readonly name: string },
  version: number,
  path: string,
  reason: string
): InvalidMessage => ({ _tag: "InvalidMessage", message: name, version, path, reason })

/** What is wrong, for a person. */
export const describe = ({ message, path, reason, version }: InvalidMessage): string =>
  `${message} version ${version}${path === "" ? "" : `, ${path}`}: ${reason}`
