/**
 * Transcripts of campaigns: how they are taken, kept, read and judged again without a broker.
 */
export * as Capture from "./Capture.ts"
export * as Rejudging from "./Rejudging.ts"
export * as Transcript from "./Transcript.ts"
export * as Wording from "./Wording.ts"
