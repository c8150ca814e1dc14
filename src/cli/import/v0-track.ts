import { unlessMissing } from '../../contract/error.ts'
import { jsonIn } from '../../place/foreign.ts'
import { fieldsOf, type JsonFields, listOf, textOf, timeOf } from '../../recorder/agents/fields.ts'
import { UsageError } from '../../terminal/exit.ts'
import { type Documents, metaIn } from './documents.ts'
import type { Reporter } from './report.ts'
import { checks, entriesOf, runs, specs, statusOf, type TrackerEntry, trackFile, type V0Context } from './v0-entries.ts'
import { importFeatures, type LinkedFeature, linksIn } from './v0-features.ts'
import { readOperations, type SqlTables } from './v0-sql.ts'

function readTrack(documents: Documents): JsonFields {
  try {
    return fieldsOf(jsonIn(documents.text(trackFile)))
  } catch (error) {
    throw new UsageError(`Cannot read ${trackFile}: ${(error as Error).message}`)
  }
}

/**
 * Imports the specs, runs, checks and features of an earlier Conduct: what its tracker names, and what its statements
 * add to that. Leaves what is already there unchanged.
 */
export async function importTrack(context: V0Context) {
  const track = readTrack(context.documents)
  const tables = await readOperations(context)
  await importFeatures(tables, context)
  const named = await entriesOf(track.specs, specs, tables, context)
  for (const entry of named) await importSpec(entry, context)
  const links = linksIn(tables, context)
  const bySpec = new Map(named.map(({ id, fields }) => [id, labelsOf(fields)]))
  const times = new Map<string, Times>()
  for (const entry of await entriesOf(track.runs, runs, tables, context)) {
    const linked = links.get(entry.id) ?? []
    const labels = bySpec.get(textOf(entry.fields.specId, 100) ?? '')
    const at = await importRun({ ...entry, content: withFeatures(entry.content, linked) }, { linked, labels }, context)
    if (at) times.set(entry.id, at)
  }
  for (const entry of await entriesOf(track.checks, checks, tables, context)) await importCheck(entry, times, context)
  passUnknown(track, tables, context)
  for (const path of context.documents.unread('_conduct'))
    context.report.pass(path, undefined, `${trackFile} does not name it`)
}

/** Lists what neither the tracker's nouns nor the known tables have. */
function passUnknown(track: JsonFields, tables: SqlTables, { report }: V0Context) {
  const known = ['$schema', 'specs', 'runs', 'checks', 'last_updated']
  for (const name of Object.keys(track)) {
    if (!known.includes(name)) report.pass(trackFile, undefined, `the ledger has no place for "${name}"`)
  }
  const read = [specs.table, runs.table, checks.table, 'feature', 'package', 'run_feature']
  for (const [table, rows] of tables) {
    if (read.includes(table)) continue
    for (const { file } of rows) report.pass(file, undefined, `the ledger has no place for a row of ${table}`)
  }
  for (const noun of [specs, runs, checks]) {
    const ids = new Set(listOf(track[`${noun.name}s`]).map(({ id }) => String(id)))
    for (const { file, values } of tables.get(noun.table) ?? []) {
      if (!ids.has(values.id ?? '')) report.pass(file, undefined, `${noun.name} ${values.id} is not in ${trackFile}`)
    }
  }
}

const withFeatures = (content: string, linked: LinkedFeature[]) =>
  linked.length === 0
    ? content
    : `${content}\n## Features\n\n${linked.map(({ name, how }) => `- ${name}${how && `, ${how}`}`).join('\n')}\n`

/** The labels that a spec gives to its runs. */
function labelsOf(fields: JsonFields): Record<string, string> {
  const [loe, source] = [textOf(fields.loe, 100), textOf(fields.source, 100)]
  return { ...(loe !== undefined && { loe }), ...(source !== undefined && { source }) }
}

/** A time in the tracker; undefined if it is invalid or in the future. */
export function pastOf(value: unknown): string | undefined {
  const at = timeOf(value)
  return at === undefined || at > Date.now() ? undefined : new Date(at).toISOString()
}

const specStatuses = ['draft', 'pending', 'in_progress', 'completed', 'archived'] as const
const runStatuses = ['completed', 'failed'] as const

async function importSpec({ id, status, agent, content, fields }: TrackerEntry, { client, dryRun, report }: V0Context) {
  const specId = `v0-${id}`
  if (await exists(client.getSpec({ specId }))) return report.count('specs imported before')
  report.count('specs')
  if (dryRun) return
  const known = specStatuses.find((one) => one === status) ?? 'draft'
  const createdAt = pastOf(fields.createdAt)
  await client.createSpec({ specId, status: known, content, ...agent, ...(createdAt && { createdAt }) })
}

/** Whether a read finds something. Throws whatever is no NOT_FOUND. */
export const exists = async (asked: Promise<object>) => (await asked.catch(unlessMissing)) !== undefined

interface Times {
  startedAt: string
  endedAt: string
}

/** What else is known of a run. */
interface About {
  linked: LinkedFeature[]
  /** From its spec. */
  labels: Record<string, string> | undefined
}

async function importRun(
  entry: TrackerEntry,
  { linked, labels }: About,
  context: V0Context,
): Promise<Times | undefined> {
  const { id, location, status, content } = entry
  const { client, dryRun, report } = context
  const times = timesOf(entry, report)
  if (!times) return undefined
  const said = statusOf(metaIn(content, 'Status'))
  if (said !== '' && said !== status)
    report.contradict(location, undefined, `says ${said}, and the tracker ${status}: the tracker holds`)
  const runId = `v0-${id}`
  const isKnown = await exists(client.getRun({ runId }))
  report.count(isKnown ? 'runs imported before' : 'runs')
  const known = runStatuses.find((one) => one === status)
  if (!known && !isKnown) {
    const what = status || 'without a status'
    report.contradict(trackFile, undefined, `run ${id} is ${what} and nobody works on it any more: it failed`)
  }
  if (dryRun) return times
  if (!isKnown)
    await client.createRun({
      ...runOf(entry, known),
      runId,
      labels: { imported: 'conduct-v0', ...labels },
      createdAt: times.startedAt,
      ...times,
    })
  for (let at = 0; at < linked.length; at += mostLinked) {
    await client.linkFeatures({ runId, features: linked.slice(at, at + mostLinked).map(({ name }) => ({ name })) })
  }
  return times
}

/** How many features one call links. */
const mostLinked = 100

function runOf({ status, agent, content, fields }: TrackerEntry, known: (typeof runStatuses)[number] | undefined) {
  const specId = textOf(fields.specId, 100)
  const failure = { code: 'NOT_FINISHED', message: `The tracker left it ${status || 'without a status'}.` }
  const end = known ? { status: known } : { status: 'failed' as const, failure }
  return { ...end, content, ...agent, ...(specId && { specId: `v0-${specId}` }) }
}

function timesOf({ id, fields }: TrackerEntry, report: Reporter): Times | undefined {
  const startedAt = pastOf(fields.startedAt ?? fields.createdAt)
  if (startedAt === undefined) {
    report.pass(trackFile, undefined, `run ${id} does not say when it began`)
    return undefined
  }
  const completedAt = pastOf(fields.completedAt)
  const isBefore = completedAt !== undefined && completedAt < startedAt
  if (isBefore) report.contradict(trackFile, undefined, `run ${id} ends before it begins: it ends when it begins`)
  return { startedAt, endedAt: completedAt === undefined || isBefore ? startedAt : completedAt }
}

const results: Record<string, 'pass' | 'fail' | 'warn'> = { pass: 'pass', fail: 'fail', partial: 'warn', warn: 'warn' }

async function importCheck(entry: TrackerEntry, times: Map<string, Times>, { client, dryRun, report }: V0Context) {
  const { id, location, agent, content, fields } = entry
  const [checkId, run] = [`v0-${id}`, textOf(fields.runId ?? fields.run_id, 100) ?? '']
  const result = results[String(fields.result)]
  const of = times.get(run)
  if (!of) return report.pass(location, undefined, `it checks run '${run}', which was not imported`)
  if (!result) {
    const which = Object.keys(results).join(', ')
    return report.pass(location, undefined, `its result is ${JSON.stringify(fields.result)}, which is none of ${which}`)
  }
  const completedAt = pastOf(fields.completedAt)
  const isBefore = completedAt !== undefined && completedAt < of.startedAt
  if (isBefore) {
    const when = `is stamped ${completedAt}, before its run began at ${of.startedAt}`
    report.contradict(location, undefined, `${when}: it gets the time of the run's end`)
  }
  const createdAt = completedAt === undefined || isBefore ? of.endedAt : completedAt
  if (await exists(client.getCheck({ checkId }))) return report.count('checks imported before')
  report.count('checks')
  if (!dryRun) await client.createCheck({ checkId, runId: `v0-${run}`, result, content, ...agent, createdAt })
}
