import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Place } from './place.ts'
import { settled } from './records.ts'

// What others do about the work of a session: pipelines, reviewers, and the author with another key.

/** Who has a key of the server. The session records with that of `ada`. */
const holders = {
  ada: { permissions: ['write'], person: 'Ada <ada@example.com>' },
  'ada, laptop': { permissions: ['agent'], person: 'Ada <ADA@example.com>', machine: 'laptop' },
  bob: { permissions: ['write'], person: 'Bob <bob@example.com>' },
  ci: { permissions: ['agent'] },
  'new ci': { permissions: ['agent'] },
} as const

type Holder = keyof typeof holders

interface Key {
  id: number
  secret: string
}

/** A server on the ledger of the place. */
export interface Server {
  url: string
  admin: string
  keys: Map<Holder, Key>
  close(): Promise<void>
}

/** What happens after a turn. By default, a pipeline runs `npm test` on a clean checkout of HEAD, and it passes. */
export interface Job {
  by?: Holder
  name?: string
  command?: string
  exits?: number
  env?: Record<string, string>
  /** The commit that it checks. */
  on?: string
  /** Commands in the checkout, before the check. */
  first?: string
  /** No run is to get the check. */
  isLost?: true
  /** A check by the API instead of a command. */
  says?: 'pass' | 'fail' | 'warn'
  /** It is about the run, not the commit. */
  isOfRun?: true
  pipeline?: { id: string; job: string; attempt: number }
  /** The key is revoked, and nothing is checked. */
  isRevoked?: true
}

/** Starts a server on the ledger of the place. From now on, sessions record there with the key of Ada. */
export async function startServer(place: Place): Promise<Server> {
  const child = spawn('conduct', ['serve', '--port', '0'], {
    cwd: place.repository,
    env: place.env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  const admin = readFileSync(join(place.home, '.local/share/conduct/conduct.db.admin-key'), 'utf8').trim()
  const server: Server = {
    url: /http:\S+/.exec(String(said))?.[0] ?? '',
    admin,
    keys: new Map(),
    async close() {
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
  const file = join(place.home, 'ada.key')
  writeFileSync(file, (await keyOf(server, 'ada')).secret, { mode: 0o600 })
  place.conduct('profile', 'add', 'work', server.url, '--key-file', file)
  return server
}

async function keyOf(server: Server, name: Holder): Promise<Key> {
  const known = server.keys.get(name)
  if (known) return known
  const body = { name, project: 'greetings', ...holders[name] }
  const { key, secret } = (await call(server, server.admin, 'POST', 'auth/keys', body)) as { key: Key; secret: string }
  const made = { id: key.id, secret }
  server.keys.set(name, made)
  return made
}

async function call({ url }: Server, secret: string, method: string, path: string, body?: object): Promise<unknown> {
  const headers = { Authorization: `Bearer ${secret}`, 'Content-Type': 'application/json' }
  const response = await fetch(`${url}/v1/${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  if (!response.ok) throw new Error(`${method} ${path} returns ${response.status}: ${await response.text()}`)
  return response.json()
}

/** Does the jobs, one after the other, once the turn before has reached the ledger. */
export async function doJobs(place: Place, server: Server, jobs: Job[]): Promise<void> {
  if (jobs.length > 0) await settled(place)
  for (const job of jobs) await doJob(place, server, job)
}

async function doJob(place: Place, server: Server, job: Job) {
  const { by = 'ci', name = 'tests', on = 'HEAD', says: result } = job
  const { id, secret } = await keyOf(server, by)
  const commit = place.git('rev-parse', on)
  if (job.isRevoked) return call(server, server.admin, 'DELETE', `auth/keys/${id}`)
  if (result === undefined) return runCheck(place, { CONDUCT_URL: server.url, CONDUCT_API_KEY: secret }, commit, job)
  const about = job.isOfRun ? { runId: 'RUN-001' } : { commit, dirty: false }
  return call(server, secret, 'POST', 'checks', { name, result, ...about, pipeline: job.pipeline })
}

function runCheck(place: Place, access: Record<string, string>, commit: string, job: Job) {
  const { by = 'ci', name = 'tests', command = 'npm test', exits = 0, first = '' } = job
  const home = join(place.folder, by)
  const checkout = join(home, 'checkout')
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home)
  place.git('clone', '-q', place.repository, checkout)
  place.git('-C', checkout, 'checkout', '-q', commit)
  const check = `conduct check exec --name ${name} -- ${command}`
  const script = `set -e\n${first}\nset +e\n${check} >"$HOME/log" 2>&1\ntest $? = ${exits}`
  const env = { ...place.env, ...access, HOME: home, ...job.env }
  execFileSync('sh', ['-c', script], { cwd: checkout, env, stdio: 'pipe' })
}
