import { hash } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Client, ConductError } from '../../client/client.ts'
import { type Checkpoint, checkpointsIn, hashesFrom, isSignedBy } from '../../ledger/checkpoint.ts'
import { isConsistent } from '../../ledger/tree.ts'
import { type Env, folders, privateFolder } from '../place/folders.ts'
import { writePrivate } from '../place/private-file.ts'
import type { Own } from './heads.ts'

/** What this machine remembers about the log of a server. */
interface Remembered {
  url: string
  seenAt: string
  verifierKey: string
  note: string
}

const fileOf = (url: string, env: Env) =>
  join(folders.state(env), 'checkpoints', `${hash('sha256', url).slice(0, 32)}.json`)

function recall(url: string, env: Env): Remembered | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(url, env), 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Forgets the log of a server. The next one seen there is accepted as it is. */
export const forget = (url: string, env: Env) => rmSync(fileOf(url, env), { force: true })

function remember({ url, verifierKey, note }: Omit<Remembered, 'seenAt'>, env: Env): void {
  privateFolder(join(privateFolder(folders.state(env)), 'checkpoints'))
  const seen: Remembered = { url, seenAt: new Date().toISOString(), verifierKey, note }
  writePrivate(fileOf(url, env), `${JSON.stringify(seen, null, 2)}\n`)
}

/** The newest checkpoint of a log; undefined if the server is too old to have one. */
export async function readOwn(client: Client): Promise<Own | undefined> {
  try {
    const { note, verifierKey } = await client.getCheckpoint()
    const [head] = checkpointsIn(note)
    if (!head) throw new ConductError('INTERNAL_ERROR', 'The server did not return a checkpoint.')
    return { head, verifierKey }
  } catch (error) {
    if (error instanceof ConductError && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}

/** Why a log does not continue its earlier checkpoint; undefined if it does. */
export async function breakBetween(client: Client, old: Checkpoint, head: Checkpoint): Promise<string | undefined> {
  if (old.size > head.size) return `had ${old.size} events, and has ${head.size}`
  const same = old.size === head.size
  const { hashes } = same ? { hashes: [] } : await client.getConsistency({ from: old.size, to: head.size })
  return isConsistent(old, head, hashesFrom(hashes)) ? undefined : `has other events among its first ${old.size}`
}

/** How long a background process trusts its last check, in milliseconds. */
const trustedMs = 3_600_000

/**
 * Compares the log of a server with what this machine saw of it before, and remembers the new state. If the log is not
 * the same, returns the reason and keeps the old state. With `seldom`, checks once an hour.
 */
export async function checkMemory(client: Client, url: string, env: Env, seldom = false): Promise<string | undefined> {
  const known = recall(url, env)
  if (seldom && known && Date.now() - Date.parse(known.seenAt) < trustedMs) return undefined
  const own = await readOwn(client)
  if (!own) return undefined
  const { head, verifierKey } = own
  const reason = known ? await reasonOf(client, known, own) : undefined
  if (reason === undefined) {
    remember({ url, verifierKey, note: head.note }, env)
    return undefined
  }
  return `The log of ${url} ${reason}, which contradicts what this machine saw at ${known?.seenAt}. Somebody rewrote the log, or restored an old copy. To accept the log as it is: conduct verify --forget`
}

async function reasonOf(client: Client, known: Remembered, { head, verifierKey }: Own): Promise<string | undefined> {
  const [old] = checkpointsIn(known.note)
  if (!old) return undefined
  if (old.origin !== head.origin) return `is ${head.origin} but was ${old.origin}`
  if (verifierKey !== known.verifierKey) return 'is signed by another key'
  if (!isSignedBy(head, verifierKey)) return 'has a checkpoint that its key did not sign'
  return breakBetween(client, old, head)
}
