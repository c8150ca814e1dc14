import type { Pass } from '../../agents/past/moment.ts'
import { pairs, printJson } from '../show/print.ts'

/** Something that the import left out or found contradictory, and where it is. */
export interface Unplaced {
  file: string
  line?: number
  reason: string
}

/** What an import did, or would do. */
export interface Report {
  dryRun: boolean
  counts: Record<string, number>
  /** What was left out, with the reason. */
  unplaced: Unplaced[]
  /** The number of further entries. */
  more: number
  /** Contradictions in the source, with the value that was used. */
  contradictions: Unplaced[]
}

/** The most entries listed per file, and in all. */
const most = { perFile: 20, all: 1_000 }

export interface Reporter {
  report: Report
  count(what: string, by?: number): void
  pass: Pass
  contradict: Pass
}

export function createReporter(dryRun: boolean, counts: Record<string, number>): Reporter {
  const report: Report = { dryRun, counts, unplaced: [], more: 0, contradictions: [] }
  const perFile = new Map<string, number>()
  return {
    report,
    count: (what, by = 1) => {
      report.counts[what] = (report.counts[what] ?? 0) + by
    },
    pass(file, line, reason) {
      const before = perFile.get(file) ?? 0
      perFile.set(file, before + 1)
      if (before >= most.perFile || report.unplaced.length >= most.all) report.more += 1
      else report.unplaced.push({ file, ...(line !== undefined && { line }), reason })
    },
    contradict(file, line, reason) {
      report.contradictions.push({ file, ...(line !== undefined && { line }), reason })
    },
  }
}

export function print(report: Report, { json }: { json?: boolean }) {
  if (json) return printJson(report)
  const { dryRun, counts, unplaced, more, contradictions } = report
  process.stdout.write(`${pairs(Object.entries(counts).map(([what, count]) => [what, String(count)]))}\n`)
  list('Left out', unplaced)
  if (more > 0) process.stderr.write(`  and ${more} more\n`)
  list('Contradictions', contradictions)
  if (dryRun) process.stderr.write('Nothing was written. To import, leave out --dry-run.\n')
}

function list(heading: string, items: Unplaced[]) {
  if (items.length === 0) return
  process.stderr.write(`${heading}:\n`)
  for (const { file, line, reason } of items) {
    process.stderr.write(`  ${file}${line === undefined ? '' : `:${line}`}: ${reason.replaceAll('\n', ' ')}\n`)
  }
}
