import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import type { Client, Output } from '../../src/client/client.ts'
import { readRows } from './database.ts'

export type Event = Output<'listEvents'>['events'][number]

/** The whole log, as a reader with a server key receives it. */
export const readLog = (client: Client) => readOn(client, [])

/** Appends the newer events to `log`. Asserts that their numbers are 1, 2, 3 and so on. */
export async function readOn(client: Client, log: Event[]): Promise<Event[]> {
  for (;;) {
    const { events, meta } = await client.listEvents({ after: log.length, limit: 100 })
    for (const event of events) {
      log.push(event)
      assert.equal(event.seq, log.length, 'the log has a gap, or a number twice')
    }
    if (!meta.hasMore) return log
  }
}

interface Row {
  id: number
  runId: string
  version: number
  sha256: string | null
  links: number
}

/**
 * Asserts that no change is stored partially. Replaying the log must give exactly the existing runs with their versions,
 * contents and links. Each content must match its digest, and belong to one run or turn.
 */
export async function requireWhole(client: Client, url: string): Promise<void> {
  if (url.startsWith('sqlite:')) {
    assert.deepEqual(await readRows(url, 'pragma integrity_check'), [{ integrity_check: 'ok' }])
    assert.deepEqual(await readRows(url, 'pragma foreign_key_check'), [])
  }
  const rows = await readRows<Row>(
    url,
    `select runs.id, runs.run_id as "runId", runs.version, documents.sha256,
      (select count(*) from run_features where run_id = runs.id) as links
    from runs left join documents on documents.id = document_id order by runs.id`,
  )
  const found = rows.map((row) => ({
    ...row,
    id: Number(row.id),
    version: Number(row.version),
    links: Number(row.links),
  }))
  assert.deepEqual(found, replay(await readLog(client)))
  const documents = await readRows<{ sha256: string | null; text: string | null; owners: number }>(
    url,
    `select sha256, (select count(*) from runs where document_id = documents.id) +
        (select count(*) from turns where documents.id in (prompt_id, answer_id)) as owners,
      (select string_agg(text, '' order by start) from document_parts where document_id = documents.id) as text from documents`,
  )
  for (const { sha256, text, owners } of documents) {
    // A content made of appends has no digest.
    if (sha256 !== null) assert.equal(hash('sha256', text ?? ''), sha256)
    assert.equal(Number(owners), 1)
  }
  assert.deepEqual(await readRows(url, 'select name from idempotency_keys where answer is null'), [])
}

/** The runs according to the log. */
function replay(log: Event[]): Row[] {
  const runs = new Map<number, Row>()
  for (const { type, subject, subjectId: id, changes } of log) {
    if (type === 'run.created') {
      assert(!runs.has(id), `${subject} was created twice`)
      runs.set(id, { id, runId: subject, version: 1, sha256: null, links: 0 })
    }
    const run = runs.get(id)
    if (!run || !type.startsWith('run.')) continue
    if (type === 'run.deleted') runs.delete(id)
    const digest = changes.content?.[1] as { sha256: string } | null | undefined
    if (digest !== undefined) run.sha256 = digest?.sha256 ?? null
    if (changes.features) run.links += (changes.features[1] as number[]).length
    else if (type === 'run.updated') run.version++
  }
  return [...runs.values()].sort((a, b) => a.id - b.id)
}
