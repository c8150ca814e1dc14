import type { SkipReport } from '../../recorder/transcripts/moment.ts'
import { line } from '../../text/clean.ts'
import { pairs, printJson } from '../show/print.ts'

/** Something that the import left out or found contradictory, and where it is. */
interface Unplaced {
  file: string
  line?: number
  reason: string
}

/** What an import did, or would do. */
interface Report {
  dryRun: boolean
  counts: Record<string, number>
  /** What was left out, with the reason. */
  unplaced: Unplaced[]
  /** The number of further entries. */
  more: number
  /** Contradictions in the source, with the value that was used. */
  contradictions: Unplaced[]
  /** The number of further contradictions. */
  moreContradictions: number
}

/** The most entries listed per file, and in all. */
const most = { perFile: 20, all: 1_000 }

export interface Reporter {
  report: Report
  count(what: string, by?: number): void
  pass: SkipReport
  contradict: SkipReport
}

export function createReporter(dryRun: boolean, counts: Record<string, number>): Reporter {
  const report: Report = { dryRun, counts, unplaced: [], more: 0, contradictions: [], moreContradictions: 0 }
  const unplaced = limited(report.unplaced)
  const contradictions = limited(report.contradictions)
  return {
    report,
    count: (what, by = 1) => {
      report.counts[what] = (report.counts[what] ?? 0) + by
    },
    pass(file, line, reason) {
      if (!unplaced(file, line, reason)) report.more += 1
    },
    contradict(file, line, reason) {
      if (!contradictions(file, line, reason)) report.moreContradictions += 1
    },
  }
}

/** Adds entries to the list up to the limits. Returns whether it added the entry. */
function limited(list: Unplaced[]) {
  const perFile = new Map<string, number>()
  return (...[file, line, reason]: Parameters<SkipReport>): boolean => {
    const before = perFile.get(file) ?? 0
    perFile.set(file, before + 1)
    if (before >= most.perFile || list.length >= most.all) return false
    list.push({ file, ...(line !== undefined && { line }), reason })
    return true
  }
}

export function print(report: Report, { json }: { json?: boolean }) {
  if (json) return printJson(report)
  const { dryRun, counts, unplaced, more, contradictions, moreContradictions } = report
  process.stdout.write(`${pairs(Object.entries(counts).map(([what, count]) => [what, String(count)]))}\n`)
  list('Left out', unplaced, more)
  list('Contradictions', contradictions, moreContradictions)
  if (dryRun) process.stderr.write('Nothing was written. To import, leave out --dry-run.\n')
}

function list(heading: string, items: Unplaced[], more: number) {
  if (items.length === 0) return
  process.stderr.write(`${heading}:\n`)
  for (const { file, line: at, reason } of items) {
    process.stderr.write(`  ${line(file)}${at === undefined ? '' : `:${at}`}: ${line(reason)}\n`)
  }
  if (more > 0) process.stderr.write(`  and ${more} more\n`)
}
