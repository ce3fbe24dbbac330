/**
 * The judge of histories of any system: of every anomaly whether the history shows it, with the lines that prove it, or
 * why that cannot be judged.
 *
 * It takes the events one by one, keeps some columns of numbers for every send, transaction and offset that it hears of,
 * and judges when the history is complete: linear time and memory. Nothing that is unknown counts for or against anybody.
 * It knows nothing of how the history came about, so it is no proof about the system: an anomaly that is absent is one that
 * these clients did not see.
 */
import * as Instances from "../transactions/Instances.ts"
import type { Anomaly, Verdict } from "./Anomalies.ts"
import { makeFindings } from "./Anomalies.ts"
import * as Atomicity from "./Atomicity.ts"
import * as Consumers from "./Consumers.ts"
import * as Duplicates from "./Duplicates.ts"
import * as Facts from "./Facts.ts"
import type * as Format from "./Format.ts"
import * as Groups from "./Groups.ts"
import * as Isolation from "./Isolation.ts"
import { Ledger } from "./Ledger.ts"
import * as Logs from "./Logs.ts"
import * as LostWrites from "./LostWrites.ts"
import * as Offsets from "./Offsets.ts"
import * as Ordering from "./Ordering.ts"
import * as Polls from "./Polls.ts"
import * as Producers from "./Producers.ts"
import * as Zombies from "./Zombies.ts"

/** A history, judged. */
export interface Report {
  /** What was in the history. */
  readonly lines: number
  readonly sends: number
  readonly transactions: number
  /** Records that consumers were given; one that is given twice counts twice. */
  readonly reads: number
  readonly anomalies: Readonly<Record<Anomaly, Verdict>>
}

/** Judges one history while it is being read. */
export interface Judge {
  /** Takes the event of the next line; answers with how it contradicts the lines before it, if it does. */
  readonly take: (event: Format.Event) => string | undefined
  /** To be asked once, when the history is complete. */
  readonly report: () => Report
}

/** Starts a judge with no events seen. */
export const make = (): Judge => {
  const ledger = new Ledger()
  const findings = makeFindings()
  const instances = Instances.make()
  const groups = Groups.make(ledger)
  const producers = Producers.make(ledger, instances, groups)
  const consumers = Consumers.make(ledger, groups, findings)
  let line = 0

  const report = (): Report => {
    const facts = Facts.make(ledger)
    const polls = Polls.judge(facts, findings)
    const offsets = Offsets.judge(facts, groups, findings)
    const why: Readonly<Record<Anomaly, string | undefined>> = {
      "lost write": LostWrites.judge(facts, findings),
      duplicate: Duplicates.judge(facts, groups, polls.disputed, findings),
      reordering: Ordering.judge(facts, findings),
      "aborted read": Isolation.judgeAborted(facts, findings),
      "read beyond stable": Isolation.judgeOpen(facts, findings),
      "torn transaction": Atomicity.judge(facts, findings),
      "offset ahead of output": offsets,
      "output ahead of offset": offsets,
      "zombie success": Zombies.judge({ facts, instances, producers, groups }, findings),
      "skipped poll": polls.why,
      "non-monotone poll": consumers.continued() === 0 ? "no consumer has polled twice" : undefined,
      "inconsistent offsets": Logs.judge(facts, findings)
    }
    const verdictOn = (anomaly: Anomaly): Verdict => {
      const reason = ledger.recordOf.length === 0 ? "nothing was sent" : why[anomaly]
      return findings.of(anomaly) ?? (reason === undefined ? { _tag: "Absent" } : { _tag: "NotJudged", why: reason })
    }
    return {
      lines: line,
      sends: ledger.recordOf.length,
      transactions: ledger.transactions.size,
      reads: consumers.reads(),
      anomalies: Object.fromEntries(
        (Object.keys(why) as ReadonlyArray<Anomaly>).map((anomaly) => [anomaly, verdictOn(anomaly)])
      ) as Record<Anomaly, Verdict>
    }
  }

  const take = (event: Format.Event): string | undefined => {
    line++
    switch (event.operation) {
      case "poll":
      case "fetchOffsets":
      case "commitOffsets":
      case "assign":
      case "revoke":
      case "caughtUp":
      case "log":
        return consumers.take(event, line)
      default:
        return producers.take(event, line)
    }
  }

  return { take, report }
}
