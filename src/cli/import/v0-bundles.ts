import { join, sep } from 'node:path'
import { parse } from 'csv-parse/sync'
import { humanIdPattern } from '../../contract/id.ts'
import { mask } from '../../mask/mask.ts'
import { asTitle } from '../../text/title.ts'
import type { Documents } from './documents.ts'
import { attempt, type V0Context } from './v0-entries.ts'
import { importLogLine, type LogLine } from './v0-log.ts'
import { exists, pastOf } from './v0-track.ts'

/** The folder of the third generation of the earlier Conduct: bundles, a tracker and a log. */
export const bundleFolder = '.conduct'

const trackerFile = `${bundleFolder}/tracker.csv`

/** A row of the tracker: a bundle, or an issue. */
interface Tracked {
  id: string
  desc: string
  isDone: boolean
  completedAt: string
  completionDoc: string
  line: number
}

/**
 * Imports each bundle and each row of the tracker as a spec, and each line of the log as a run with the checks that its
 * report contains. Leaves what is already there unchanged, and lists the rest.
 */
export async function importBundles(context: V0Context): Promise<void> {
  const { documents } = context
  const tracked = trackedIn(context)
  const bundles = bundlesIn(documents)
  for (const id of bundles) await importBundle(id, tracked.get(id), context)
  for (const row of tracked.values()) {
    if (!bundles.includes(row.id)) await importRow(row, context)
  }
  const seen = new Map<string, number>()
  for (const line of logIn(context)) {
    const stem = `v0-${line.timestamp.replaceAll(/[-:.]/g, '')}-${line.command}`
    const times = (seen.get(stem) ?? 0) + 1
    seen.set(stem, times)
    const runId = times === 1 ? stem : `${stem}-${times}`
    await importLogLine(line, { runId, specOf: (text) => specOf(line, text, tracked) }, context)
  }
  const completions = new Set(
    [...tracked.values()].map(({ completionDoc }) => join(bundleFolder, 'issue-completions', `${completionDoc}.md`)),
  )
  for (const path of context.documents.unread(bundleFolder)) {
    const isTracked = completions.has(path)
    const reason = isTracked
      ? 'the tracker names it, but no line of the log does'
      : 'neither the tracker nor the log names it'
    context.report.pass(path, undefined, reason)
  }
}

/** The spec that a line of the log is about: its bundle, its issue, or the row that its completion names or is named by. */
function specOf({ path }: LogLine, text: string, tracked: ReadonlyMap<string, Tracked>): string | undefined {
  const [, kind = '', name = ''] = path.split('/')
  const stem = name.replace(/\.md$/, '')
  if (kind === 'specs' || kind === 'issues') return stem
  if (kind !== 'issue-completions') return undefined
  const [, issue = ''] = /^- Issue: [^`\n]*`(?:\.conduct\/issues\/)?([^`\n]+?)(?:\.md)?`/m.exec(text) ?? []
  return [...tracked.values()].find(({ completionDoc }) => completionDoc === stem)?.id ?? tracked.get(issue)?.id
}

async function importBundle(id: string, row: Tracked | undefined, context: V0Context) {
  const { documents, report } = context
  const location = `${bundleFolder}/specs/${id}`
  const parts = ['', '/phases'].map((part) => attempt(() => documents.document(`${location}${part}`)))
  const [text] = parts
  if (typeof text !== 'string') return report.pass(location, undefined, (text as Error).message)
  await importSpec(id, { content: parts.filter((part) => typeof part === 'string').join('\n'), row, location }, context)
}

/** Imports a row without a bundle: an issue with its document, if it has one, or else the title alone. */
async function importRow(row: Tracked, context: V0Context) {
  const { documents, report } = context
  const location = `${bundleFolder}/issues/${row.id}.md`
  const text = attempt(() => documents.text(location))
  const content = typeof text === 'string' ? text : `# ${row.desc}\n`
  if (row.id.endsWith('-spec'))
    report.pass(trackerFile, row.line, `${bundleFolder}/specs/${row.id} is gone: its spec has only a title`)
  const [, said] = /^[-*] \**Status:?\**:? *`?(Open|Resolved)\b/im.exec(content) ?? []
  if (said !== undefined && (said.toLowerCase() === 'resolved') !== row.isDone)
    report.contradict(location, undefined, `says ${said}, and the tracker ${Number(row.isDone)}: the tracker holds`)
  await importSpec(row.id, { content, row, location }, context)
}

/** What a row says and a spec has no field for, as Markdown; empty if there is nothing. */
function trackerText({ completedAt, completionDoc }: Tracked): string {
  const lines = [
    completedAt && `- **Completed:** ${completedAt}`,
    completionDoc && `- **Completion:** ${completionDoc}`,
  ]
  const list = lines.filter(Boolean).join('\n')
  return list && `\n## Tracker\n\n${list}\n`
}

interface SpecText {
  content: string
  row: Tracked | undefined
  location: string
}

async function importSpec(id: string, { content: text, row, location }: SpecText, context: V0Context) {
  const { client, dryRun, report } = context
  const [specId, content] = [`v0-${id}`, `${text}${row ? trackerText(row) : ''}`]
  if (!humanIdPattern.test(specId)) return report.pass(location, undefined, `'${id}' is no id that can be kept`)
  if (Buffer.byteLength(content) > mostSpecBytes) return report.pass(location, undefined, 'it is longer than 1 MiB')
  if (await exists(client.getSpec({ specId }))) return report.count('specs imported before')
  report.count('specs')
  if (!row) report.contradict(location, undefined, 'tracker.csv does not name it: its status is draft')
  if (dryRun) return
  const status = row ? (row.isDone ? ('completed' as const) : ('in_progress' as const)) : ('draft' as const)
  const day = pastOf(/^\d{4}-\d{2}-\d{2}/.exec(id)?.[0])
  const title = row ? { title: asTitle(await mask(row.desc)) } : {}
  await client.createSpec({ specId, status, ...title, content: await mask(content), ...(day && { createdAt: day }) })
}

/** The largest text of a spec. */
const mostSpecBytes = 1_000_000

function trackedIn(context: V0Context): ReadonlyMap<string, Tracked> {
  const rows = rowsIn(trackerFile, context).map(({ id = '', desc = '', ...row }, at) => ({
    ...{ id, desc, completedAt: row.completedAt ?? '', completionDoc: row.completionDoc ?? '' },
    isDone: row.status === '1',
    line: at + 2,
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
