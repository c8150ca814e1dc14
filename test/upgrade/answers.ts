import { createHash } from 'node:crypto'
import type { Client } from '../../src/client/client.ts'

type Row = Record<string, unknown>

/** Everything that the API returns of a ledger: a list of rows for each noun. */
export type Answers = Record<
  'projects' | 'keys' | 'webhooks' | 'runs' | 'specs' | 'checks' | 'features' | 'events',
  Row[]
>

/** Longer contents are stored as their size and digest. */
const longest = 2000

/**
 * Reads the whole ledger. `clientOf` returns the client of an admin key for a project. Nouns that the version does not
 * have get no rows.
 */
export async function answersOf(clientOf: (project?: string) => Client): Promise<Answers> {
  const client = clientOf()
  const projects = await rowsOf(client, 'listProjects')
  const each = async (read: (client: Client, filter: { project: string[] }) => Promise<Row[]>) => {
    const rows: Row[] = []
    for (const { slug } of projects) {
      rows.push(...(await read(clientOf(slug as string), { project: [slug as string] })))
    }
    return rows
  }
  return {
    projects,
    keys: await rowsOf(client, 'listKeys'),
    webhooks: await rowsOf(client, 'listWebhooks'),
    runs: await each(runsOf),
    specs: await each(specsOf),
    checks: await each(checksOf),
    features: await each(featuresOf),
    events: await eventsOf(client),
  }
}

type List = Parameters<Client['all']>[0]

/** Every row of a list, oldest first, or no rows if the version does not have the list. */
async function rowsOf(client: Client, list: List, input: object = {}): Promise<Row[]> {
  const rows: Row[] = []
  if (!(list in client)) return rows
  for await (const row of client.all(list, { limit: 100, ...input } as never)) rows.push(row as Row)
  return rows.reverse()
}

async function eventsOf(client: Client): Promise<Row[]> {
  const rows: Row[] = []
  for (let after = 0; ; ) {
    const { events, meta } = await client.listEvents({ after, limit: 100 })
    rows.push(...events)
    if (!meta.hasMore) return rows
    after = meta.lastSeq
  }
}

async function runsOf(client: Client, filter: object): Promise<Row[]> {
  const rows: Row[] = []
  for (const listed of await rowsOf(client, 'listRuns', filter)) {
    const runId = listed.runId as string
    const { run } = await client.getRun({ runId })
    const content = 'readContent' in client ? await contentOf(client, runId) : undefined
    const turns = await rowsOf(client, 'listTurns', { runId, order: 'desc' })
    rows.push({ listed, read: short(run), ...(content && { content }), ...(turns.length > 0 && { turns }) })
  }
  return rows
}

async function contentOf(client: Client, runId: string) {
  let text = ''
  for (let after = 0; ; ) {
    const piece = await client.readContent({ runId, after })
    text += piece.text
    if (piece.text === '') return { size: piece.next, truncated: piece.truncated, content: digestOf(text) }
    after = piece.next
  }
}

async function specsOf(client: Client, filter: object): Promise<Row[]> {
  const rows: Row[] = []
  for (const listed of await rowsOf(client, 'listSpecs', filter)) {
    const specId = listed.specId as string
    const { spec } = await client.getSpec({ specId })
    const versions: Row[] = []
    for (const { version } of await rowsOf(client, 'listSpecVersions', { specId })) {
      versions.push(short((await client.getSpecVersion({ specId, version: version as number })).version))
    }
    rows.push({ listed, read: short(spec), versions })
  }
  return rows
}

async function checksOf(client: Client, filter: object): Promise<Row[]> {
  const rows: Row[] = []
  for (const listed of await rowsOf(client, 'listChecks', filter)) {
    const { check } = await client.getCheck({ checkId: listed.checkId as string })
    rows.push({ listed, read: short(check) })
  }
  return rows
}

async function featuresOf(client: Client, filter: object): Promise<Row[]> {
  const rows: Row[] = []
  for (const listed of await rowsOf(client, 'listFeatures', filter)) {
    const id = listed.id as number
    const runs = await rowsOf(client, 'listFeatureRuns', { id })
    rows.push({ listed, read: (await client.getFeature({ id })).feature, runs: runs.map(({ runId }) => runId) })
  }
  return rows
}

const short = (row: { content: string }): Row => ({ ...row, content: digestOf(row.content) })

const digestOf = (text: string) =>
  text.length <= longest
    ? text
    : { bytes: Buffer.byteLength(text), sha256: createHash('sha256').update(text).digest('hex') }
