import { type Client, ConductError } from '../../client/client.ts'
import type { Env } from '../../place/folders.ts'
import { checkMemory, remembers } from '../../verify/remember.ts'
import { type Finding, found } from './finding.ts'

/** Checks that the log of a ledger continues what this machine saw of it before, and remembers its new state. */
export async function logFindings(client: Client, ledger: string, env: Env): Promise<Finding[]> {
  try {
    const changed = await checkMemory(client, ledger, env)
    if (changed !== undefined) return [found('log', 'fail', changed)]
    // After a check, only a log without a seal is not remembered.
    if (!remembers(ledger, env)) {
      return [found('log', 'note', 'the server does not seal its log, because its Conduct is too old: upgrade it')]
    }
    return [found('log', 'ok', 'it continues what this machine saw of it; conduct verify checks every event')]
  } catch (error) {
    const isNew = error instanceof ConductError && error.code === 'UNAVAILABLE'
    return [found('log', isNew ? 'note' : 'fail', (error as Error).message)]
  }
}
