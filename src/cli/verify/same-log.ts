import { ConductError } from '../../api/error.ts'
import { tryMs } from '../../spool/deliver.ts'
import { UsageError } from '../exit.ts'
import { connect, placeOf } from '../place/connect.ts'
import type { Env } from '../place/folders.ts'
import { checkMemory } from './remember.ts'

/**
 * Whether the log of the server in use continues what this machine saw of it. If not, prints so to stderr. An
 * unreachable server counts as unchanged. With `seldom`, checks once an hour.
 */
export async function isSameLog(env: Env, seldom: boolean): Promise<boolean> {
  try {
    const place = placeOf({}, env, process.cwd())
    if (place.kind !== 'server') return true
    const { client } = await connect({ ...place, project: undefined }, env, { attempts: 1, timeout: tryMs })
    const words = await checkMemory(client, place.url, env, seldom)
    if (words === undefined) return true
    process.stderr.write(`${words}\n`)
    return false
  } catch (error) {
    if (error instanceof ConductError || error instanceof UsageError) return true
    throw error
  }
}
