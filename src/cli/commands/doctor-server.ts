import type { Client } from '../../client/client.ts'
import { backupFinding, roomFindings } from './doctor-figures.ts'
import { type Finding, found } from './finding.ts'

const patienceMs = 10_000

/**
 * Checks a server by its public readiness probe, and its disk and backups by the metrics, which need a key of the whole
 * server.
 */
export async function stateFindings(url: string, key: string | undefined, me: Client['me']): Promise<Finding[]> {
  const ready = await readiness(url)
  const isWide = await me().then(
    (answer) => (answer.key?.project ?? null) === null,
    () => false,
  )
  if (!isWide) return ready
  return [...ready, ...(await figures(url, key))]
}

async function readiness(url: string): Promise<Finding[]> {
  const response = await ask(url, '/readyz')
  const answer = (await response?.json().catch(() => undefined)) as { status?: string; warnings?: string[] } | undefined
  // A proxy may not forward this path.
  if (answer?.status === undefined) return []
  if (response?.status === 503) return [found('database', 'fail', `the server accepts no writes: ${answer.status}`)]
  return [
    found('database', 'ok', 'it accepts writes'),
    ...(answer.warnings ?? []).map((warning) => found('database', 'warn', warning)),
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
