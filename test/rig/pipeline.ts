import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Place } from './place.ts'
import { settled } from './records.ts'

// What others do about the work of a session: pipelines, reviewers, and the author with another key.

/** Who has a key of the server. The session records with that of `ada`. */
const holders = {
  ada: ['--permission', 'write', '--person', 'Ada <ada@example.com>'],
  'ada, laptop': ['--permission', 'agent', '--person', 'Ada <ADA@example.com>', '--machine', 'laptop'],
  bob: ['--permission', 'write', '--person', 'Bob <bob@example.com>'],
  ci: ['--permission', 'agent', '--service'],
  'new ci': ['--permission', 'agent', '--service'],
} as const

export type Holder = keyof typeof holders

/** A server on the ledger of the place. */
export interface Server {
  url: string
  secretOf(holder: Holder): string
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
  const url = /http:\S+/.exec(String(said))?.[0] ?? ''
  const secrets = new Map<Holder, string>()
  const server: Server = {
    url,
    secretOf(holder) {
      const known = secrets.get(holder)
      if (known !== undefined) return known
      const words = ['--profile', 'local', '--project', 'greetings', '--quiet', '--name', holder, ...holders[holder]]
      const secret = place.conduct('key', 'create', ...words)
      secrets.set(holder, secret)
      return secret
    },
    async close() {
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
  place.write(place.home, { 'ada.key': server.secretOf('ada') })
  chmodSync(join(place.home, 'ada.key'), 0o600)
  place.conduct('profile', 'add', 'work', url, '--key-file', join(place.home, 'ada.key'))
  place.conduct('profile', 'use', 'work')
  return server
}

/** Does the jobs, one after the other, once the turn before has reached the ledger. */
export async function doJobs(place: Place, server: Server, jobs: Job[]): Promise<void> {
  if (jobs.length > 0) await settled(place)
  for (const job of jobs) doJob(place, server, job)
}

function doJob(place: Place, server: Server, job: Job) {
  const { by = 'ci', name = 'tests', command = 'npm test', exits = 0, on = 'HEAD', first } = job
  if (job.isRevoked) return revoke(place, by)
  const home = join(place.folder, by)
  mkdirSync(home, { recursive: true })
  const env = {
    ...place.env,
    HOME: home,
    CONDUCT_URL: server.url,
    CONDUCT_API_KEY: server.secretOf(by),
    CONDUCT_PROJECT: 'greetings',
    ...job.env,
  }
  const commit = place.git('rev-parse', on)
  if (job.says !== undefined) {
    const about = job.isOfRun ? ['--run-id', 'RUN-001'] : ['--commit', commit, '--dirty', 'false']
    const pipeline = Object.entries(job.pipeline ?? {}).flatMap(([part, value]) => [`--pipeline-${part}`, `${value}`])
    const words = ['check', 'create', '--name', name, '--result', job.says, ...about, ...pipeline]
    execFileSync('conduct', words, { cwd: home, env, stdio: 'pipe' })
    return
  }
  const checkout = join(home, 'checkout')
  place.fault('rm', '-rf', checkout)
  place.git('clone', '-q', place.repository, checkout)
  place.git('-C', checkout, 'checkout', '-q', commit)
  const check = `conduct check exec --name ${name} -- ${command}`
  const script = `set -e\n${first ?? ''}\nset +e\n${check} >>"$HOME/log" 2>&1\ntest $? = ${exits}`
  execFileSync('sh', ['-c', script], { cwd: checkout, env, stdio: 'pipe' })
}

function revoke(place: Place, holder: Holder) {
  const keys = place.conduct('key', 'list', '--profile', 'local', '--json', '--all').split('\n')
  const key = keys.map((line) => JSON.parse(line)).find(({ name }) => name === holder)
  place.conduct('key', 'revoke', '--profile', 'local', String(key?.id))
}
