import type { TestContext } from 'node:test'
import { localActor } from '../../src/contract/actor.ts'
import type { Name } from '../../src/contract/paths.ts'
import { reap } from '../../src/nouns/run/take-lease.ts'
import { openStore } from '../../src/operations/open.ts'
import { createApp } from '../../src/server/app.ts'
import { type Answer, type CallBy, rawCalls, read } from './call.ts'
import type { Engine } from './engines.ts'
import { adminKey } from './server.ts'

/** What a script of calls works with; each call is written down with its answer. */
export interface Recorder {
  /** Calls an operation, with the first admin key unless it has another. */
  call(name: Name, input?: object, by?: CallBy): Promise<Answer>
  /** Sends a request as it is; without a key it comes from the local user. */
  send(request: Request): Promise<Answer>
  /** Lets time go by; while it does not, everything happens at one instant. */
  wait(ms: number): void
  /** Fails the runs whose leases have run out, as a server does every second. */
  reap(): Promise<void>
}

export interface Entry {
  asked: string
  status: number
  headers: Record<string, string>
  body: unknown
}

/** The calls of a script with their answers, on an empty ledger of that engine whose clock stands unless the script moves it. */
export async function transcriptOf(
  t: TestContext,
  engine: Engine,
  script: (recorder: Recorder) => Promise<void>,
): Promise<Entry[]> {
  let now = Date.parse('2026-01-31T09:30:00.000Z')
  const store = await openStore(await engine.freshUrl(t), { adminKey, now: () => now })
  t.after(() => store.close())
  const webhooks = { allow: ['localhost', '127.0.0.1'] }
  const options = { rateLimit: 0, contentLimit: 4096, webhooks }
  const call = rawCalls(store, options)
  const app = createApp({ ...options, store, actor: localActor })
  const entries: Entry[] = []
  const mask = createMask()
  const write = (asked: string, { status, headers, body }: Answer) =>
    entries.push({ asked, status, headers: mask.headers(headers), body: mask.body(body) })
  await script({
    async call(name, input = {}, { headers, ...by } = {}) {
      const answer = await call(name, input, { key: adminKey, ...by, headers: { 'x-request-id': 'same', ...headers } })
      const asked = `${name} ${JSON.stringify({ input, ...by, headers })}`
      write(withoutChance(asked), answer)
      return answer
    },
    async send(request) {
      if (!request.headers.has('x-request-id')) request.headers.set('x-request-id', 'same')
      const answer = await read(await app.fetch(request))
      if (request.headers.get('x-request-id') !== answer.headers.get('x-request-id')) delete answer.body.requestId
      write(`${request.method} ${request.url}`, answer)
      return answer
    },
    wait: (ms) => {
      now += ms
    },
    reap: async () => {
      await reap(store.db, store.now())
    },
  })
  return entries
}

/** What was asked, without what is random or carries a row id. */
const withoutChance = (asked: string) =>
  asked
    .replace(/"cursor":"(?!nonsense")[\w-]+"/, '"cursor":"…"')
    .replace(/"leaseToken":"[\w-]{32}"/, '"leaseToken":"…"')
    .replace(/sk_(\w+?)_\w{43}/g, 'sk_$1_…')
    .replace(/(session|page|code)_\w{43}/g, '$1_…')

/** A list, page by page to its end. */
export async function walk(call: Recorder['call'], name: Name, input: object) {
  let cursor: string | undefined
  do {
    const { body }: Answer = await call(name, { ...input, cursor })
    cursor = (body.meta as { nextCursor?: string } | undefined)?.nextCursor
  } while (cursor !== undefined)
}

const told = [
  'content-type',
  'etag',
  'location',
  'link',
  'allow',
  'www-authenticate',
  'retry-after',
  'idempotent-replayed',
  'set-cookie',
]

/** By which field the rows of a noun are known. */
const nouns = [
  ['n', 'turn'],
  ['checkId', 'check'],
  ['runId', 'run'],
  ['specId', 'spec'],
] as const

/** Fields whose values are random, or noted beside the request. */
const ofChance = ['nextCursor', 'secret', 'prefix', 'lastUsedAt', 'messageId', 'lag']

/** What the seal signs, salts and hashes with random values of the ledger. */
const sealed = ['origin', 'root', 'note', 'verifierKey', 'proof', 'hashes', 'hash', 'salts', 'text', 'projectId']

/**
 * Hides what may differ between engines: PostgreSQL spends a row's id on an insert that finds the row there, so row ids
 * (and cursors, which carry them) are told by the order of their appearance; secrets are random; `lastUsedAt` is noted
 * beside the request.
 */
function createMask() {
  const aliases = new Map<string, string>()
  const alias = (noun: string, id: unknown) => {
    const named = `${noun} ${id}`
    if (!aliases.has(named)) aliases.set(named, `${noun} #${aliases.size}`)
    return aliases.get(named) as string
  }
  const etags = (text: string) => text.replace(/"\d+-(\d+)"/g, '"…-$1"')

  function body(value: unknown): unknown {
    if (typeof value === 'string') return etags(value).replace(/sk_(\w+?)_\w{4}…/, 'sk_$1_…')
    if (Array.isArray(value)) return value.map(body)
    if (typeof value !== 'object' || value === null) return value
    const fields = value as Record<string, unknown>
    return Object.fromEntries(Object.entries(fields).map(([name, part]) => [name, field(name, part, fields)]))
  }

  function field(name: string, value: unknown, fields: Record<string, unknown>): unknown {
    const { type } = fields
    // A turn and a check have a runId, and a run a specId, so the first of these tells whose row it is.
    const [, noun] = nouns.find(([field]) => fields[field] !== undefined) ?? []
    if (name === 'id' && noun) return alias(noun, value)
    // The digest of an event rests on row ids.
    if (name === 'id' && 'seq' in fields) return String(value).split('-')[0]
    if (name === 'token' || (name === 'code' && /^code_/.test(String(value)))) return typeof value
    if (name === 'subject' && String(type).startsWith('erasure.')) return alias('erasure', Number(value))
    // That of a project that was deleted ends with the number of its row.
    if (name === 'project' && typeof value === 'string') return body(value.replace(/~\d+$/, '~…'))
    if (name === 'subjectId') return alias(String(type).split('.')[0] as string, value)
    // Where a text was erased, a leaf has its salted digest.
    if (name === 'changes' && typeof value === 'string') return value.replace(/"erased":"\w{64}"/g, '"erased":"…"')
    if (sealed.includes(name)) return Array.isArray(value) ? value.length : typeof value
    if (ofChance.includes(name) || (name === 'durationMs' && 'messageId' in fields)) return typeof value
    return body(value)
  }

  function headers(all: Headers): Record<string, string> {
    const shown = told.filter((name) => all.has(name)).map((name): [string, string] => [name, all.get(name) as string])
    return Object.fromEntries(
      shown.map(([name, value]) => [
        name,
        etags(value).replace(/cursor=[\w-]+|(?:session|page)_\w{43}|(?<=after=\d+)-[0-9a-f]{12}/, '…'),
      ]),
    )
  }

  return { body, headers }
}
