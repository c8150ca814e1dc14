import { type Client, ConductError, createClient } from '../../client/client.ts'
import { openLedger, type Place, shownPlace } from '../../place/connect.ts'
import type { Env } from '../../place/folders.ts'
import { ensureProject } from '../../place/missing.ts'
import { keyOf } from '../../place/profile.ts'
import { tries } from '../operation/call.ts'

/** The ledger that receives an import. */
export interface ImportTarget extends AsyncDisposable {
  /** A client without a project. */
  client: Client
  /** A client for that project. */
  in(project: string): Client
  /** Creates the project if it does not exist. */
  ensure(project: string): Promise<void>
}

export async function openTarget(place: Place, env: Env): Promise<ImportTarget> {
  if (place.kind === 'local') {
    const { as, close } = await openLedger(place, env)
    return targetOf((project) => as({ project }), close)
  }
  const key = keyOf(place.profile, env)
  return targetOf(
    (project) => createClient({ url: place.url, key, project, ...tries }),
    async () => {},
  )
}

function targetOf(as: (project?: string) => Client, close: () => Promise<void>): ImportTarget {
  const clients = new Map<string, Client>()
  const client = as()
  const known = new Set<string>()
  return {
    client,
    [Symbol.asyncDispose]: close,
    in(project) {
      const one = clients.get(project) ?? as(project)
      clients.set(project, one)
      return one
    },
    async ensure(project) {
      if (known.has(project)) return
      await ensureProject(client, project)
      known.add(project)
    },
  }
}

/** Throws FORBIDDEN unless the key has admin: only an admin may give past times. */
export async function requireAdmin({ client }: ImportTarget, place: Place) {
  const { key, permissions } = await client.me()
  if (permissions.includes('admin')) return
  throw new ConductError(
    'FORBIDDEN',
    `An import gives past times, which needs the permission admin. The key '${key?.name}' of ${shownPlace(place)} has ${permissions.join(', ')}: ` +
      'use an admin key (CONDUCT_API_KEY, or --profile). With --dry-run, any key is enough.',
  )
}
