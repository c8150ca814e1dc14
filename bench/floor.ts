// The least program that could do the same work with the same responses: bare node:http over hand-written prepared
// statements, with one durable commit per write. It has no keys, validation, versions, events or limits. `node
// bench/floor.ts FILE`.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DatabaseSync } from 'node:sqlite'

const db = new DatabaseSync(process.argv[2] as string)
db.exec(`
  pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -16000;
  create table documents (id integer primary key, text text not null) strict;
  create table runs (id integer primary key, run_id text not null unique, title text, spec_id text, spec_version integer,
    status text not null, document_id integer references documents (id), agent text, agent_version text, author text, command text,
    exit_code integer, content_type text, labels text not null, location text, session text, branch text, git text,
    changes text, links text not null, model text, input_tokens integer, output_tokens integer, cache_read_tokens integer,
    cache_write_tokens integer, cost_usd real, cost_source text, activity text, failure text, retry_of text, attempt integer not null default 1, verdict text not null default 'unchecked',
    evidence text, lease_expires_at text, last_seen_at text, started_at text, ended_at text, created_at text not null,
    updated_at text not null, version integer not null default 1) strict;
  create index runs_by_spec on runs (spec_id, created_at, id);
  create table run_features (run_id integer not null, id integer not null, name text not null,
    primary key (run_id, id)) strict`)

const getRun = db.prepare(`select runs.*, documents.text as content from runs
  left join documents on documents.id = runs.document_id where run_id = ?`)
const getFeatures = db.prepare('select id, name from run_features where run_id = ? order by id')
const listRuns = db.prepare('select * from runs where spec_id = ? order by created_at desc, id desc limit 21')
const insertDocument = db.prepare('insert into documents (text) values (?)')
const insertRun =
  db.prepare(`insert into runs (run_id, title, spec_id, status, document_id, agent, labels, location, git,
    changes, links, model, input_tokens, output_tokens, cost_usd, failure, started_at, ended_at, created_at, updated_at, session, branch)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) returning *`)
const appendText = db.prepare(`update documents set text = text || ?
  where id = (select document_id from runs where run_id = ?)`)
const touchRun = db.prepare('update runs set updated_at = ?, version = version + 1 where run_id = ? returning *')
const begin = db.prepare('begin immediate')
const commit = db.prepare('commit')

type Row = Record<string, string | number | null>

const parsed = (json: unknown) => (json === null ? null : JSON.parse(json as string))
const written = (value: unknown) => (value === undefined ? null : JSON.stringify(value))

function usageOf({ model, input_tokens, output_tokens, cost_usd }: Row) {
  if (model === null) return null
  return { model, inputTokens: input_tokens, outputTokens: output_tokens, costUsd: cost_usd }
}

const actor = { kind: 'key', name: 'first admin' }

function runOf(row: Row) {
  return {
    id: row.id,
    project: 'default',
    runId: row.run_id,
    specVersion: row.spec_version,
    title: row.title,
    specId: row.spec_id,
    status: row.status,
    agent: row.agent,
    agentVersion: row.agent_version,
    author: row.author,
    command: row.command,
    exitCode: row.exit_code,
    contentType: row.content_type ?? 'text/markdown',
    labels: parsed(row.labels),
    where: parsed(row.location),
    git: parsed(row.git),
    changes: parsed(row.changes),
    links: parsed(row.links),
    usage: usageOf(row),
    failure: parsed(row.failure),
    startedAt: row.started_at,
    endedAt: row.ended_at,
    retryOf: row.retry_of,
    required: null,
    why: 'No check has run',
    attempt: row.attempt,
    verdict: row.verdict,
    evidence: row.evidence,
    activity: parsed(row.activity),
    leaseExpiresAt: row.lease_expires_at,
    lastSeenAt: row.last_seen_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    createdBy: actor,
    updatedBy: actor,
    version: row.version,
  }
}

let runs = 0

// biome-ignore lint/suspicious/noExplicitAny: the floor believes what it is sent.
function create(input: any) {
  const now = new Date().toISOString()
  const runId = `RUN-${String(++runs).padStart(3, '0')}`
  const ended = input.status === 'completed' || input.status === 'failed'
  begin.run()
  const document = insertDocument.run(input.content).lastInsertRowid
  const usage = input.usage ?? {}
  const row = insertRun.get(
    runId,
    input.title ?? null,
    input.specId ?? null,
    input.status ?? 'pending',
    document,
    input.agent ?? null,
    written(input.labels ?? {}),
    written(input.where),
    written(input.git),
    written(input.changes),
    written(input.links ?? []),
    usage.model ?? null,
    usage.inputTokens ?? null,
    usage.outputTokens ?? null,
    usage.costUsd ?? null,
    written(input.failure),
    input.status === 'pending' ? null : now,
    ended ? now : null,
    now,
    now,
    input.where?.session ?? null,
    input.git?.branch ?? null,
  ) as Row
  commit.run()
  return { run: runOf(row) }
}

function append(runId: string, { text }: { text: string }) {
  begin.run()
  appendText.run(text, runId)
  const row = touchRun.get(new Date().toISOString(), runId) as Row
  commit.run()
  return { run: runOf(row) }
}

function list(specId: string) {
  const found = listRuns.all(specId) as Row[]
  const rows = found.slice(0, 20)
  const last = rows.at(-1)
  if (!last || found.length === rows.length) return { runs: rows.map(runOf), meta: { hasMore: false } }
  const nextCursor = Buffer.from(`desc ${last.created_at} ${last.id}`).toString('base64url')
  return { runs: rows.map(runOf), meta: { hasMore: true, nextCursor } }
}

function get(runId: string) {
  const row = getRun.get(runId) as Row
  return {
    run: { ...runOf(row), content: row.content, features: getFeatures.all(row.id as number), turns: { count: 0 } },
  }
}

function answer(response: ServerResponse, status: number, value: unknown) {
  const body = JSON.stringify(value)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
  response.end(body)
}

const listPath = '/v1/runs?specId='
const getPath = '/v1/runs/'
const contentPath = '/content'

function handle(request: IncomingMessage, response: ServerResponse) {
  const url = request.url as string
  if (request.method === 'POST') {
    const chunks: Buffer[] = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      const input = JSON.parse(Buffer.concat(chunks).toString())
      if (!url.endsWith(contentPath)) answer(response, 201, create(input))
      else answer(response, 200, append(url.slice(getPath.length, -contentPath.length), input))
    })
  } else if (url.startsWith(listPath)) {
    answer(response, 200, list(url.slice(listPath.length)))
  } else {
    answer(response, 200, get(url.slice(getPath.length)))
  }
}

const server = createServer(handle).listen(0, '127.0.0.1', () => {
  console.log(`The floor listens on http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
process.on('SIGTERM', () => process.exit(0))
