import { sep } from 'node:path'
import { parse } from 'csv-parse/sync'
import { humanIdPattern } from '../../contract/id.ts'
import { mask } from '../../mask/mask.ts'
import type { Documents } from './documents.ts'
import { attempt, type V0Context } from './v0-entries.ts'
import { importLogLine, type LogLine } from './v0-log.ts'
import { exists, pastOf } from './v0-track.ts'

/** The folder of the third generation of the earlier Conduct: bundles, a tracker and a log. */
export const bundleFolder = '.conduct'

/** A row of the tracker: a bundle, or an issue. */
interface Tracked {
  id: string
  desc: string
  isDone: boolean
  completedAt: string
  completionDoc: string
}

/**
 * Imports each bundle and each row of the tracker as a spec, and each line of the log as a run with the checks that its
 * report contains. Leaves what is already there unchanged, and lists the rest.
 */
export async function importBundles(context: V0Context): Promise<void> {
  const { documents } = context
  const tracked = trackedIn(context)
  for (const id of bundlesIn(documents)) await importBundle(id, tracked.get(id), context)
  for (const row of tracked.values()) {
    if (!row.id.endsWith('-spec')) await importIssue(row, context)
  }
  const seen = new Map<string, number>()
  const byCompletion = new Map([...tracked.values()].map(({ id, completionDoc }) => [completionDoc, id]))
  for (const line of logIn(context)) {
    const stem = `v0-${line.timestamp.replaceAll(/[-:.]/g, '')}-${line.command}`
    const times = (seen.get(stem) ?? 0) + 1
    seen.set(stem, times)
    await importLogLine(line, times === 1 ? stem : `${stem}-${times}`, specOf(line, byCompletion), context)
  }
  for (const path of context.documents.unread(bundleFolder)) {
    context.report.pass(path, undefined, 'neither the tracker nor the log names it')
  }
}

/** The spec that a line of the log is about. */
function specOf({ path }: LogLine, byCompletion: ReadonlyMap<string, string>): string | undefined {
  const [, kind = '', name = ''] = path.split('/')
  if (kind === 'specs') return name
  const id = name.replace(/(-issue)?\.md$/, '$1')
  return kind === 'issue-completions' ? byCompletion.get(name.replace(/\.md$/, '')) : kind === 'issues' ? id : undefined
}

async function importBundle(id: string, row: Tracked | undefined, context: V0Context) {
  const { documents, report } = context
  const location = `${bundleFolder}/specs/${id}`
  const parts = ['', '/phases'].map((part) => attempt(() => documents.document(`${location}${part}`)))
  const [text] = parts
  if (typeof text !== 'string') return report.pass(location, undefined, (text as Error).message)
  await importSpec(id, { content: parts.filter((part) => typeof part === 'string').join('\n'), row, location }, context)
}

async function importIssue(row: Tracked, context: V0Context) {
  const location = `${bundleFolder}/issues/${row.id}.md`
  const text = attempt(() => context.documents.text(location))
  const content = typeof text === 'string' ? text : `# ${row.desc}\n`
  await importSpec(row.id, { content, row, location }, context)
}

interface SpecText {
  content: string
  row: Tracked | undefined
  location: string
}

async function importSpec(id: string, { content, row, location }: SpecText, { client, dryRun, report }: V0Context) {
  const specId = `v0-${id}`
  if (!humanIdPattern.test(specId)) return report.pass(location, undefined, `'${id}' is no id that can be kept`)
  if (Buffer.byteLength(content) > mostSpecBytes) return report.pass(location, undefined, 'it is longer than 1 MiB')
  if (await exists(client.getSpec({ specId }))) return report.count('specs imported before')
  report.count('specs')
  if (!row) report.contradict(location, undefined, 'tracker.csv does not name it: its status is draft')
  if (dryRun) return
  const status = row ? (row.isDone ? ('completed' as const) : ('in_progress' as const)) : ('draft' as const)
  const day = pastOf(/^\d{4}-\d{2}-\d{2}/.exec(id)?.[0])
  const title = row ? { title: (await mask(row.desc)).slice(0, 300).toWellFormed() } : {}
  await client.createSpec({ specId, status, ...title, content: await mask(content), ...(day && { createdAt: day }) })
}

/** The largest text of a spec. */
const mostSpecBytes = 1_000_000

function trackedIn(context: V0Context): ReadonlyMap<string, Tracked> {
  const file = `${bundleFolder}/tracker.csv`
  const rows = rowsIn(file, context).map(({ id = '', desc = '', status, completedAt = '', completionDoc = '' }) => ({
    ...{ id, desc, completedAt, completionDoc },
    isDone: status === '1',
  }))
  return new Map(rows.filter(({ id }) => id !== '').map((row) => [row.id, row]))
}

/** The lines of the log, and those of the bundles' own logs that it does not have, in the order of time. */
function logIn(context: V0Context): LogLine[] {
  const logs = [
    `${bundleFolder}/logs.csv`,
    ...bundlesIn(context.documents).map((id) => `${bundleFolder}/specs/${id}/logs.csv`),
  ]
  const lines = new Map<string, LogLine>()
  for (const file of logs) {
    for (const [at, row] of rowsIn(file, context).entries()) {
      const { timestamp = '', model = '', launcher = '', command = '', path = '' } = row
      const line = {
        timestamp,
        model,
        launcher,
        command,
        path,
        phases: row['phase(s)'] ?? '',
        name: row.agent_name ?? '',
        at: { file, line: at + 2 },
      }
      const key = JSON.stringify([timestamp, command, line.phases, path])
      if (!lines.has(key)) lines.set(key, line)
    }
  }
  return [...lines.values()].sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1))
}

/** The rows of a CSV file with their columns by name; none if there is no such file. */
function rowsIn(file: string, { documents, report }: V0Context): Record<string, string | undefined>[] {
  if (!documents.unread(bundleFolder).includes(file)) return []
  try {
    return parse(documents.text(file), { columns: true, trim: true, relax_column_count: true, skip_empty_lines: true })
  } catch (error) {
    report.pass(file, undefined, `it is no CSV: ${(error as Error).message}`)
    return []
  }
}

/** The names of the bundles. */
const bundlesIn = (documents: Documents): string[] => {
  const parts = documents.unread(`${bundleFolder}/specs`).map((path) => path.split(sep))
  return [...new Set(parts.flatMap(([, , id, inside]) => (id !== undefined && inside !== undefined ? [id] : [])))]
}
