import { type Next, requestOf } from './load.ts'
import { adminKey, type Server } from './servers.ts'

/** The runs that exist before the load, and the specs they are spread over: more than a page per spec. */
export const seeded = 3500
/** The load appends to this many of them, the newest, and reads the others. */
const growing = 500
const specs = 100

const headers = { authorization: `Bearer ${adminKey}` }
const content = `# Log in with a passkey\n\n${'- [x] the tests pass, the lint is clean\n'.repeat(30)}`.slice(0, 1024)

/** A run as a fully configured agent sends it, with 1 KB of content. */
export const newRun = (specId: string) =>
  JSON.stringify({
    title: 'Log in with a passkey',
    specId,
    status: 'completed',
    agent: 'claude-code',
    labels: { team: 'web' },
    where: { host: 'build-7', cwd: '/srv/shop' },
    git: { repository: 'shop', branch: 'passkeys', commit: '4f2a9c1d7e8b6a5f3c2d1e0f9a8b7c6d5e4f3a2b' },
    usage: { model: 'large-1', inputTokens: 48_210, outputTokens: 6_120, costUsd: 0.41 },
    content,
  })

const line = JSON.stringify({ text: '- 12:04:31 npm test: 412 passed, 0 failed\n' })

let keys = 0

const runIdOf = (n: number) => `RUN-${String(n + 1).padStart(3, '0')}`

/** Cycles through prepared requests. */
function turns(count: number, make: (n: number) => Buffer): Next {
  const ready = Array.from({ length: count }, (_, n) => make(n))
  let turn = 0
  return () => ready[turn++ % count] as Buffer
}

const createOf = ({ url }: Server, specId: string, more = {}) =>
  requestOf(url, 'POST', '/v1/runs', { ...headers, ...more }, newRun(specId))

const appendTo = ({ url }: Server, runId: string) => requestOf(url, 'POST', `/v1/runs/${runId}/content`, headers, line)

/** The same requests, each with a new Idempotency-Key. */
function once(server: Server): Next {
  const blank = '_'.repeat(16)
  const next = turns(specs, (n) => createOf(server, `LOAD-${n}`, { 'idempotency-key': blank }))
  return () => {
    const request = Buffer.from(next())
    request.write(String(++keys).padStart(blank.length, '0'), request.indexOf(blank))
    return request
  }
}

/** Creates the seeded runs, with ids from RUN-001. */
export const seedOf = (server: Server) => turns(specs, (n) => createOf(server, `SPEC-${n}`))

export type WorkName = 'get' | 'list' | 'create' | 'createOnce' | 'append' | 'events'

/** The requests of each kind of work. The lists are those of the seeded specs, which no load adds to. */
export const works: Record<WorkName, (server: Server) => Next> = {
  get: ({ url }) => turns(seeded - growing, (n) => requestOf(url, 'GET', `/v1/runs/${runIdOf(n)}`, headers)),
  list: ({ url }) => turns(specs, (n) => requestOf(url, 'GET', `/v1/runs?specId=SPEC-${n}`, headers)),
  create: (server) => turns(specs, (n) => createOf(server, `LOAD-${n}`)),
  createOnce: once,
  append: (server) => turns(growing, (n) => appendTo(server, runIdOf(seeded - 1 - n))),
  events: ({ url }) => turns(100, (n) => requestOf(url, 'GET', `/v1/events?after=${n * 20}&limit=20`, headers)),
}
