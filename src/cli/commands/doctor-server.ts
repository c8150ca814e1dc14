import { type Client, ConductError } from '../../client/client.ts'
import { isMissing } from '../../contract/error.ts'
import { connect, type Place } from '../../place/connect.ts'
import type { Env } from '../../place/folders.ts'
import { keyAdvice, noProject } from '../../place/missing.ts'
import { keyOf } from '../../place/profile.ts'
import { noLedger, reach, tries } from '../operation/call.ts'
import { shown } from '../show/print.ts'
import { backupFinding, logFindings, roomFindings } from './doctor-database.ts'
import { type Finding, found } from './doctor-folder.ts'

type ServerPlace = Place & { kind: 'server' }

const patienceMs = 10_000

/**
 * Checks a server: its address, the key, the project, its readiness by the public probe, its disk and backups by the
 * metrics, which need a key of the whole server, and its log.
 */
export async function serverFindings(place: ServerPlace, env: Env): Promise<Finding[]> {
  const { url, project } = place
  const server = await answering(url)
  if (server.state === 'fail') return [server]
  const access = await accessOf(place, env)
  if (access.fault !== undefined) return [server, found('key', 'fail', access.fault), ...(await readiness(url))]
  const { client, me, allowed, key } = access
  return [
    server,
    found('key', 'ok', allowed),
    ...expiry(me.key?.expiresAt),
    ...(project === undefined ? [] : [await projectFinding(client, project)]),
    ...(await readiness(url)),
    ...((me.key?.project ?? null) === null ? await figures(url, key) : []),
    ...(await logFindings(client, url, env)),
  ]
}

/** The tolerated difference between clocks, in seconds. The Date of a response is exact to one second. */
const clockSeconds = 5

async function answering(url: string): Promise<Finding> {
  try {
    const { version, ahead } = await reach(url)
    const words = `${url} runs Conduct ${version}`
    if (Math.abs(ahead) <= clockSeconds) return found('server', 'ok', words)
    return found('server', 'warn', `${words}; its clock is ${Math.abs(ahead)} s ${ahead > 0 ? 'ahead' : 'behind'}`)
  } catch (error) {
    return found('server', 'fail', noLedger(url, error as Error))
  }
}

/** A client with the key of the place and what the server says about that key, or why it does not let us in. */
async function accessOf(place: ServerPlace, env: Env) {
  try {
    const { client } = await connect({ ...place, project: undefined }, env, tries)
    const me = await client.me()
    const allowed = `${me.key?.name} may ${me.permissions.join(', ')}`
    return { client, me, allowed, key: keyOf(place.profile, env) }
  } catch (error) {
    const isRefused = error instanceof ConductError && error.code === 'UNAUTHORIZED'
    return { fault: `${(error as Error).message}${isRefused ? ` ${keyAdvice}` : ''}` }
  }
}

/** Keys that expire within this many days are reported. */
const soonDays = 14

function expiry(expiresAt: string | null | undefined): Finding[] {
  if (!expiresAt) return []
  const isSoon = Date.parse(expiresAt) - Date.now() < soonDays * 86_400_000
  return [found('key', isSoon ? 'warn' : 'ok', `expires ${shown(expiresAt)}`)]
}

const projectFinding = (client: Client, slug: string): Promise<Finding> =>
  client.getProject({ slug }).then(
    ({ project }) => found('project', 'ok', project.slug),
    (error: Error) => found('project', 'fail', isMissing(error) ? noProject(slug) : error.message),
  )

async function readiness(url: string): Promise<Finding[]> {
  const response = await ask(url, '/readyz')
  const answer = (await response?.json().catch(() => undefined)) as { status?: string; warnings?: string[] } | undefined
  // A proxy may not forward this path.
  if (answer?.status === undefined) return []
  if (response?.status === 503) return [found('database', 'fail', `the server accepts no writes: ${answer.status}`)]
  return [
    found('database', 'ok', 'it accepts writes'),
    ...(answer.warnings ?? []).map((warning, index) =>
      found(answer.status === 'degraded' && index === 0 ? 'clock' : 'database', 'warn', warning),
    ),
  ]
}

async function figures(url: string, key: string | undefined): Promise<Finding[]> {
  const response = await ask(url, '/metrics', key)
  if (!response?.ok) return [found('disk', 'note', 'the server does not show its metrics here')]
  const text = await response.text()
  const value = (name: string) => {
    const [, number] = new RegExp(`^${name} (\\S+)$`, 'm').exec(text) ?? []
    return number === undefined ? undefined : Number(number)
  }
  const [bytes, walBytes, freeBytes] = ['size', 'wal_size', 'disk_free'].map((of) =>
    value(`conduct_database_${of}_bytes`),
  )
  const newest = value('conduct_backup_last_success_timestamp_seconds')
  const isOverdue = value('conduct_backup_overdue') === 1
  return [
    ...(bytes !== undefined && walBytes !== undefined && freeBytes !== undefined
      ? roomFindings(bytes, { walBytes, freeBytes })
      : []),
    ...(newest === undefined ? [] : [backupFinding(newest === 0 ? undefined : newest * 1000, isOverdue)]),
  ]
}

/** Probes and metrics are beside the base path. Undefined without a response. */
const ask = (url: string, path: string, key?: string): Promise<Response | undefined> =>
  fetch(new URL(path, url), {
    signal: AbortSignal.timeout(patienceMs),
    headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
  }).catch(() => undefined)
