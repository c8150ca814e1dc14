import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import type { Client } from '../../client/client.ts'
import { humanIdPattern } from '../../contract/id.ts'
import { mask } from '../../mask/mask.ts'
import { placeOf } from '../../place/connect.ts'
import { foreignText, jsonIn } from '../../place/foreign.ts'
import { isMissing } from '../../place/missing.ts'
import { projectOf } from '../../place/project.ts'
import { fieldsOf, listOf, textOf, timeOf } from '../../recorder/agents/fields.ts'
import { UsageError } from '../../terminal/exit.ts'
import { addExamples, addPlace, type Common } from '../../terminal/option.ts'
import { metaIn, readDocument } from './documents.ts'
import { openTarget, requireAdmin } from './ledger.ts'
import { createReporter, print, type Reporter } from './report.ts'

/** `conduct import conduct-v0`: imports the ledger of the earlier Conduct. */
export function v0Command(): Command {
  const command = new Command('conduct-v0').description(`Import the ${trackFile} of the earlier Conduct`)
  command.argument('<folder>', `the folder with ${trackFile}`)
  command.option('--dry-run', 'count what is new, and write nothing')
  command.option('--json', 'as JSON')
  addPlace(command)
  addExamples(command, ['conduct import conduct-v0 . --dry-run'], 'console')
  return command.action(run)
}

async function run(folder: string, { dryRun = false, ...options }: Common & { dryRun?: boolean }): Promise<void> {
  const track = readTrack(folder)
  const { env } = process
  const named = placeOf(options, env, folder)
  const project = options.project ?? projectOf(resolve(folder))
  const place = { ...named, project: undefined }
  const report = createReporter(dryRun, { specs: 0, runs: 0, checks: 0 })
  const target = await openTarget(place, env)
  try {
    if (!dryRun) {
      await requireAdmin(target, place)
      await target.ensure(project)
    }
    await importTrack(track, { client: target.in(project), folder, dryRun, report })
  } finally {
    await target.close()
  }
  for (const name of ['_conduct/operations', '_conduct/designs', '.conduct']) {
    if (existsSync(join(folder, name))) report.pass(name, undefined, 'this import does not read it')
  }
  print(report.report, options)
}

/** The largest tracker that we read. */
const trackerBytes = 8_388_608

function readTrack(folder: string): unknown {
  const path = join(folder, trackFile)
  try {
    const text = foreignText(path, { within: folder, most: trackerBytes })
    if (text === undefined) throw new Error('there is no such file')
    return jsonIn(text)
  } catch (error) {
    throw new UsageError(`Cannot read ${path}: ${(error as Error).message}`)
  }
}

const trackFile = 'conduct.track.json'

/** An entry of the tracker. */
interface Entry {
  id: string
  location: string
  status: string
  agent?: { agent: string }
  /** Its text, masked. */
  content: string
  fields: Record<string, unknown>
}

interface Context {
  client: Client
  folder: string
  dryRun: boolean
  report: Reporter
}

/**
 * Imports the specs, runs and checks that the tracker of an earlier Conduct names. Leaves what is already there
 * unchanged.
 */
async function importTrack(track: unknown, context: Context) {
  const { specs, runs, checks } = fieldsOf(track)
  for (const entry of await entriesOf(specs, 'spec', context)) await importSpec(entry, context)
  const times = new Map<string, { startedAt: string; endedAt: string }>()
  for (const entry of await entriesOf(runs, 'run', context)) {
    const at = await importRun(entry, context)
    if (at) times.set(entry.id, at)
  }
  for (const entry of await entriesOf(checks, 'check', context)) await importCheck(entry, times, context)
  const known = ['$schema', 'specs', 'runs', 'checks', 'last_updated']
  for (const name of Object.keys(fieldsOf(track))) {
    if (!known.includes(name)) context.report.pass(trackFile, undefined, `the ledger has no place for "${name}"`)
  }
}

async function entriesOf(list: unknown, noun: string, { folder, report }: Context): Promise<Entry[]> {
  const entries: Entry[] = []
  for (const [at, fields] of listOf(list).entries()) {
    const [id, location] = [textOf(fields.id ?? '', 100), textOf(fields.location)]
    const name = `${noun}s[${at}]`
    if (id === undefined || !humanIdPattern.test(id))
      report.pass(trackFile, undefined, `${name} has no id that can be kept: ${JSON.stringify(fields.id)}`)
    else if (location === undefined) report.pass(trackFile, undefined, `${name} names no document`)
    else {
      const text = attempt(() => readDocument(folder, location))
      const agent = textOf(fields.agent, 100)
      if (typeof text !== 'string') report.pass(location, undefined, text.message)
      else
        entries.push({
          id,
          location,
          status: statusOf(fields.status),
          ...(agent && { agent: { agent } }),
          content: await mask(text),
          fields,
        })
    }
  }
  return entries
}

function attempt<T>(work: () => T): T | Error {
  try {
    return work()
  } catch (error) {
    return error as Error
  }
}

const statusOf = (status: unknown) => String(status ?? '').replaceAll('-', '_')

/** A time in the tracker; undefined if it is invalid or in the future. */
function pastOf(value: unknown): string | undefined {
  const at = timeOf(value)
  return at === undefined || at > Date.now() ? undefined : new Date(at).toISOString()
}

const specStatuses = ['draft', 'pending', 'in_progress', 'completed', 'archived'] as const
const runStatuses = ['completed', 'failed'] as const

async function importSpec({ id, status, agent, content, fields }: Entry, { client, dryRun, report }: Context) {
  const specId = `v0-${id}`
  if (await exists(client.getSpec({ specId }))) return report.count('specs imported before')
  report.count('specs')
  if (dryRun) return
  const known = specStatuses.find((one) => one === status) ?? 'draft'
  const createdAt = pastOf(fields.createdAt)
  await client.createSpec({ specId, status: known, content, ...agent, ...(createdAt && { createdAt }) })
}

const exists = (asked: Promise<unknown>) =>
  asked.then(
    () => true,
    (error: unknown) => {
      if (isMissing(error)) return false
      throw error
    },
  )

async function importRun({ id, location, status, agent, content, fields }: Entry, { client, dryRun, report }: Context) {
  const runId = `v0-${id}`
  const startedAt = pastOf(fields.startedAt ?? fields.createdAt)
  if (startedAt === undefined) {
    report.pass(trackFile, undefined, `run ${id} does not say when it began`)
    return undefined
  }
  const said = statusOf(metaIn(content, 'Status'))
  if (said !== '' && said !== status)
    report.contradict(location, undefined, `says ${said}, and the tracker ${status}: the tracker holds`)
  const told = pastOf(fields.completedAt)
  const isBefore = told !== undefined && told < startedAt
  if (isBefore) report.contradict(trackFile, undefined, `run ${id} ends before it begins: it ends when it begins`)
  const endedAt = told === undefined || isBefore ? startedAt : told
  if (await exists(client.getRun({ runId }))) report.count('runs imported before')
  else {
    report.count('runs')
    const known = runStatuses.find((one) => one === status)
    if (!known)
      report.contradict(
        trackFile,
        undefined,
        `run ${id} is ${status || 'without a status'} and nobody works on it any more: it failed`,
      )
    const specId = textOf(fields.specId, 100)
    const more = { ...(specId && { specId: `v0-${specId}` }), labels: { imported: 'conduct-v0' } }
    const failure = { code: 'NOT_FINISHED', message: `The tracker left it ${status || 'without a status'}.` }
    const end = known ? { status: known } : { status: 'failed' as const, failure }
    const times = { createdAt: startedAt, startedAt, endedAt }
    if (!dryRun) await client.createRun({ runId, ...end, content, ...agent, ...more, ...times })
  }
  return { startedAt, endedAt }
}

const results: Record<string, 'pass' | 'fail' | 'warn'> = { pass: 'pass', fail: 'fail', partial: 'warn', warn: 'warn' }

async function importCheck(
  { id, location, agent, content, fields }: Entry,
  times: Map<string, { startedAt: string; endedAt: string }>,
  { client, dryRun, report }: Context,
) {
  const [checkId, run] = [`v0-${id}`, textOf(fields.runId ?? fields.run_id, 100) ?? '']
  const result = results[String(fields.result)]
  const of = times.get(run)
  if (!of) return report.pass(location, undefined, `it checks run '${run}', which was not imported`)
  if (!result)
    return report.pass(
      location,
      undefined,
      `its result is ${JSON.stringify(fields.result)}, which is none of ${Object.keys(results).join(', ')}`,
    )
  const told = pastOf(fields.completedAt)
  const isBefore = told !== undefined && told < of.startedAt
  if (isBefore)
    report.contradict(
      location,
      undefined,
      `is stamped ${told}, before its run began at ${of.startedAt}: it gets the time of the run's end`,
    )
  const createdAt = told === undefined || isBefore ? of.endedAt : told
  if (await exists(client.getCheck({ checkId }))) return report.count('checks imported before')
  report.count('checks')
  if (!dryRun) await client.createCheck({ checkId, runId: `v0-${run}`, result, content, ...agent, createdAt })
}
