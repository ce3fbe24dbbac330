/**
 * The subjects there are, one for each specification.
 */
import { externalSink } from "./externalSink/Subject.ts"
import { idempotent } from "./idempotent/Subject.ts"
import { readCommitted } from "./readCommitted/Subject.ts"
import type { Subject } from "./Subject.ts"
import { transactions } from "./transactions/Subject.ts"

export const subjects: ReadonlyArray<Subject> = [idempotent, transactions, readCommitted, externalSink]
