import assert from 'node:assert/strict'
import type { Client, Output } from '../../src/client/client.ts'
import { mapTexts } from '../../src/log/event.ts'
import type { Attention } from '../../src/nouns/run/attention/fields.ts'
import { states } from '../../src/nouns/run/attention/rule.ts'
import { emptyRun } from '../../src/nouns/run/fields.ts'
import { emptySpec } from '../../src/nouns/spec/fields.ts'
import { allOf } from './deeds.ts'

export type Event = Output<'listEvents'>['events'][number]
export type Row = Record<string, unknown>
export type Noun = 'run' | 'turn' | 'spec' | 'check' | 'feature' | 'project' | 'key' | 'webhook' | 'attention'
export type Tables = Record<Noun, Record<string, Row>>

/** The fields in the log by noun, each with its value before the first change. */
export const told: Record<Noun, Row> = {
  run: {
    ...{ ...emptyRun, status: null, content: null, features: [], diff: [], retryOf: null, isLeased: false },
    ...{ verdict: 'unchecked', evidence: null, why: null, required: null },
  },
  turn: {
    ...{ prompt: null, answer: null, model: null, tools: null, files: null, restored: null, usage: null, git: null },
    diffs: [],
  },
  spec: { ...emptySpec, status: null, content: null },
  check: {
    ...{ runId: null, name: null, result: null, command: null, exitCode: null, agent: null, content: null },
    ...{ commit: null, startTree: null, tree: null, commitTree: null, dirty: null, recorder: null, pipeline: null },
    linkedTo: null,
  },
  attention: { reason: null, check: null, since: null, assignee: null, until: null, resolvedAt: null, note: null },
  feature: { name: null, description: null, file: null },
  project: { name: null, repository: null, retention: null },
  key: { name: null, permissions: null, expiresAt: null, revokedAt: null, person: null, machine: null },
  webhook: { url: null, format: null, types: [], enabled: null, disabledReason: null, previousSecretExpiresAt: null },
}

/** The whole log. */
export async function logOf(client: Client): Promise<Event[]> {
  const log: Event[] = []
  for (let after = 0; ; ) {
    const { events, meta } = await client.listEvents({ after, limit: 100 })
    log.push(...events)
    if (!meta.hasMore) return log
    after = meta.lastSeq
  }
}

const emptyTables = (): Tables => ({
  ...{ run: {}, turn: {}, spec: {}, check: {}, attention: {} },
  ...{ feature: {}, project: {}, key: {}, webhook: {} },
})

/** Builds the rows at that time from the log, by their ids. Throws if an event does not fit the ones before it. */
export function replay(log: Event[], now: string): Tables {
  const tables = emptyTables()
  /** Turns that were opened and not closed. They are none of the rows. */
  const open = new Set<string>()
  for (const { seq, type, subject, changes } of log) {
    // Other events show what erasing did to texts.
    if (type === 'erasure.created') continue
    if (type === 'turn.opened') open.add(subject)
    if (type === 'turn.opened' || (open.delete(subject) && type === 'turn.deleted')) continue
    const [noun, what] = type.split('.') as [Noun, string]
    const rows = tables[noun]
    assert.ok(rows, `${type} is of no noun that is compared`)
    const at = `event ${seq}, ${type} of ${subject}`
    assert.equal(subject in rows, what !== 'created', at)
    if (what === 'deleted' || what === 'cleared') delete rows[subject]
    else rows[subject] = apply(noun, rows[subject] ?? { ...told[noun] }, changes)
  }
  for (const [runId, run] of Object.entries(tables.run)) {
    run.diff = sumOf(runId, tables.turn)
    if (withoutChecks(run)) run.why = null
  }
  for (const turn of Object.values(tables.turn)) turn.diffs = changesOf(turn.diffs as ToldDiff[])
  // A webhook names its previous secret only while that is valid.
  for (const row of Object.values(tables.webhook)) {
    if (String(row.previousSecretExpiresAt) <= now) row.previousSecretExpiresAt = null
  }
  return tables
}

function apply(noun: Noun, before: Row, changes: Event['changes']): Row {
  const row = { ...before }
  for (const [field, [from, to]] of Object.entries(changes)) {
    if (field === 'features') {
      const [gone, added] = [(from ?? []) as number[], (to ?? []) as number[]]
      const left = (row.features as number[]).filter((number) => !gone.includes(number))
      row.features = [...left, ...added].sort((a, b) => a - b)
    } else if (field === 'diffs') {
      row.diffs = [...(row.diffs as ToldDiff[]), ...(to as ToldDiff[])]
    } else if (texts.includes(field)) {
      row[field] = (to as { bytes: number } | null)?.bytes ?? null
    } else if (field === 'leaseExpiresAt') {
      row.isLeased = to !== null
    } else if (field in told[noun]) {
      row[field] = to ?? told[noun][field]
    }
  }
  return row
}

/** Whether the sentence of a run follows from what is required. An erasure reaches only the one in the log. */
const withoutChecks = ({ verdict, why }: Row) =>
  verdict === 'unchecked' && / not run$|^No check has run$|^\[erased\]$/.test(String(why))

interface ToldDiff {
  path: string
  change?: Row
  whole?: Row | null
}

const byPath = (diffs: Map<string, Row | null | undefined>) =>
  [...diffs]
    .flatMap(([path, change]) => (change ? briefOf({ path, ...change }) : []))
    .sort((a, b) => (a.path < b.path ? -1 : 1))

/** What the log and a response both say of a diff, also once its text is erased. Erased paths are no longer different. */
const briefOf = ({ path, status, insertions }: Row) =>
  String(path).startsWith('[erased]') ? [] : [{ path: String(path), status, insertions }]

const changesOf = (diffs: ToldDiff[]) => byPath(new Map(diffs.map(({ path, change }) => [path, change])))

/** The diff of a run, from those of its turns in their order. */
function sumOf(runId: string, turns: Record<string, Row>) {
  const own = Object.entries(turns).filter(([id]) => id.startsWith(`${runId}/`))
  const inOrder = own.sort(([a], [b]) => Number(a.split('/')[1]) - Number(b.split('/')[1]))
  const diffs = inOrder.flatMap(([, turn]) => turn.diffs as ToldDiff[])
  return byPath(new Map(diffs.map(({ path, change, whole = change }) => [path, whole])))
}

/** The rows, read by a client of one project; projects, keys and webhooks by one of the whole server. */
export async function tablesOf(client: Client, whole = client): Promise<Tables> {
  const tables = emptyTables()
  for (const { runId } of await allOf(client, 'listRuns')) {
    const { run } = await client.getRun({ runId })
    const features = run.features.map(({ id }) => id)
    const { files } = await client.getDiff({ runId, limit: 100 })
    tables.run[runId] = pick('run', {
      ...run,
      diff: files.flatMap(briefOf),
      why: withoutChecks(run) ? null : run.why,
      isLeased: run.leaseExpiresAt !== null,
      features,
    })
    for (const turn of await turnsOf(client, runId)) {
      const { files } = await client.getDiff({ runId, turn: turn.n, limit: 100 })
      const written = turn.files?.map((file) => ({ ...file, path: shownAs(file.path) }))
      tables.turn[`${runId}/${turn.n}`] = pick('turn', { ...turn, files: written, diffs: files.flatMap(briefOf) })
    }
  }
  for (const { specId } of await allOf(client, 'listSpecs')) {
    tables.spec[specId] = pick('spec', (await client.getSpec({ specId })).spec)
  }
  for (const { checkId } of await allOf(client, 'listChecks')) {
    tables.check[checkId] = pick('check', (await client.getCheck({ checkId })).check)
  }
  for (const row of await attentionOf(client)) tables.attention[row.runId] = pick('attention', row)
  for (const feature of await allOf(client, 'listFeatures')) tables.feature[feature.id] = pick('feature', feature)
  for (const project of await allOf(whole, 'listProjects')) tables.project[project.slug] = pick('project', project)
  for (const key of await allOf(whole, 'listKeys')) tables.key[key.id] = pick('key', key)
  for (const webhook of await allOf(whole, 'listWebhooks')) tables.webhook[webhook.id] = pick('webhook', webhook)
  return tables
}

/** Every run that needs attention, whatever was decided about it. */
export async function attentionOf(client: Client): Promise<Attention[]> {
  const pages = states.map((state) => client.listAttention({ state, limit: 100 }))
  return (await Promise.all(pages)).flatMap(({ attention = [], meta }) => {
    assert.equal(meta.hasMore, false)
    return attention
  })
}

async function turnsOf(client: Client, runId: string): Promise<Output<'listTurns'>['turns']> {
  const { turns, meta } = await client.listTurns({ runId, limit: 100 })
  assert.equal(meta.hasMore, false)
  return turns.filter(({ open }) => !open)
}

/** The log has digests of these texts. */
const texts = ['content', 'prompt', 'answer']

const pick = (noun: Noun, row: Row): Row =>
  Object.fromEntries(
    Object.entries(told[noun]).map(([field, unsaid]) => [
      field,
      texts.includes(field) ? bytesOf(row[field] as string | undefined) : (shownAs(row[field]) ?? unsaid),
    ]),
  )

/** Erased names, paths and jobs have a number, because they stay different. The log shows none. */
const shownAs = (value: unknown) => mapTexts(value, (text) => text.replace(/^\[erased\] \d+$/, '[erased]'))

/** The length of a text, or its length before it was erased. */
function bytesOf(text = ''): number | null {
  if (text === '') return null
  const [line = '', bytes = '0'] = /^\[([\d,]+) bytes erased\]\n/.exec(text) ?? []
  return Number(bytes.replaceAll(',', '')) + Buffer.byteLength(text.slice(line.length))
}
