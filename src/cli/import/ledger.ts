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
  const { as, close } = place.kind === 'local' ? await openLedger(place, env) : clientsOf(place, env)
  const client = as({})
  const known = new Set<string>()
  return {
    client,
    [Symbol.asyncDispose]: close,
    in: (project) => as({ project }),
    async ensure(project) {
      if (known.has(project)) return
      await ensureProject(client, project)
      known.add(project)
    },
  }
}

function clientsOf({ url, profile }: Place & { kind: 'server' }, env: Env) {
  const key = keyOf(profile, env)
  return {
    as: ({ project }: { project?: string }) => createClient({ url, key, project, ...tries }),
    close: async () => {},
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
