import sql, { join } from 'sql-template-tag'
import { newsTypes } from '../../contract/news.ts'
import type { Tx } from '../../engine/db.ts'
import type { Message } from '../../frame/ctx.ts'
import type { EventType } from '../../log/fields.ts'
import type { Batch } from './batch.ts'
import { typesOf, type WebhookRow } from './row.ts'
import { messageIdOf, signedHeaders } from './rules.ts'
import { type RunFacts, type Said, saidOf } from './words.ts'

/** The types of the events that a webhook reads; empty for all. */
export function readTypes(row: WebhookRow): readonly EventType[] {
  const types = typesOf(row)
  return types.length === 0 && row.format !== 'events' ? newsTypes : types
}

/** The signed message of a batch; undefined if a webhook for people has nothing to say about it. */
export async function messageOf(
  db: Tx,
  row: WebhookRow,
  batch: Batch,
  { now, publicUrl }: { now: string; publicUrl: string | undefined },
): Promise<(Message & { id: string }) | undefined> {
  const said = row.format === 'events' ? undefined : await saidIn(db, row, batch, { now, publicUrl })
  if (row.format !== 'events' && !said) return undefined
  const content = said ? contentOf(row, said) : { body: eventsOf(row, batch), headers: {} }
  const id = messageIdOf(row.tag, batch.range)
  return { id, ...signed(row, id, now, content) }
}

/** The signed test message of a webhook. */
export function testMessageOf(row: WebhookRow, id: string, now: string): Message {
  if (row.format === 'events') {
    const body = JSON.stringify({ type: 'test', timestamp: now, data: { webhookId: row.id, events: [] } })
    return signed(row, id, now, { body, headers: {} })
  }
  const sentence = `A test of webhook ${row.id} of Conduct.`
  return signed(row, id, now, contentOf(row, { sentence, projects: row.slug === null ? [] : [row.slug] }))
}

/** The secrets that sign a message now, including the previous one until it expires. */
function secretsAt(row: Pick<WebhookRow, 'secret' | 'previous_secret' | 'previous_secret_expires_at'>, now: string) {
  const isLive = row.previous_secret !== null && (row.previous_secret_expires_at ?? '') > now
  return [row.secret, ...(isLive ? [row.previous_secret as string] : [])]
}

type Content = Pick<Message, 'body' | 'headers'>

const signed = (row: WebhookRow, id: string, now: string, { body, headers }: Content): Message => ({
  url: row.url,
  body,
  headers: { ...headers, ...signedHeaders(id, now, body, secretsAt(row, now)) },
})

function eventsOf({ id }: WebhookRow, { events }: Batch): string {
  const at = events.at(-1)?.event.at
  const head = `{"type":"events","timestamp":${JSON.stringify(at)},"data":{"webhookId":${id},"events":[`
  return `${head}${events.map(({ json }) => json).join(',')}]}}`
}

async function saidIn(
  db: Tx,
  row: WebhookRow,
  { events }: Batch,
  about: { now: string; publicUrl: string | undefined },
) {
  const runs = await runsOf(
    db,
    events.flatMap(({ event }) => (event.type.startsWith('run.') ? event.subjectId : [])),
  )
  const entries = events.map((line) => ({
    event: line.toJSON(),
    run: runs.get(`${line.projectId} ${line.event.subject}`),
  }))
  return saidOf(entries, { ...about, isWhole: row.project_id === null, types: typesOf(row) })
}

/** The runs with these row ids, by project and id. */
async function runsOf(db: Tx, ids: number[]): Promise<Map<string, RunFacts>> {
  if (ids.length === 0) return new Map()
  type Row = Omit<RunFacts, 'state'> & { project_id: number; run_id: string; activity: string | null }
  const rows = await db.query<Row>(sql`
    select project_id, run_id, title, agent, author, verdict, why, activity from runs where id in (${join([...new Set(ids)])})`)
  return new Map(
    rows.map(({ project_id, run_id, activity, ...run }) => [
      `${project_id} ${run_id}`,
      { ...run, state: activity === null ? undefined : JSON.parse(activity).state },
    ]),
  )
}

/** A message in the form of its webhook. */
function contentOf({ format }: WebhookRow, { sentence, link, projects }: Said): Content {
  if (format === 'plain') {
    const title = projects.length === 1 ? `Conduct: ${projects[0]}` : 'Conduct'
    return {
      body: link === undefined ? sentence : `${sentence}\n${link}`,
      headers: { 'content-type': 'text/plain; charset=utf-8', title, ...(link !== undefined && { click: link }) },
    }
  }
  const end = link === undefined ? '' : ` · ${link}`
  return { body: JSON.stringify({ text: forChat(sentence) + end, message: sentence + end }), headers: {} }
}

/**
 * A text that a chat shows as it is: `&`, `<` and `>` escaped as Slack wants it, which the Markdown of others reads as well,
 * and nobody mentioned and no link hidden behind words, by a space without width.
 */
const forChat = (text: string) =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('@', '@\u200b')
    .replaceAll('](', ']\u200b(')
