import { hash } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '../client/client.ts'
import { ConductError } from '../contract/error.ts'
import { type Checkpoint, checkpointsIn, isSignedBy } from '../log/seal/signed-note.ts'
import { connect } from '../place/connect.ts'
import { type Env, folders } from '../place/folders.ts'
import type { Place } from '../place/place.ts'
import { privateFolder, writePrivate } from '../system/private.ts'
import { UsageError } from '../terminal/exit.ts'
import { breakBetween, NoCheckpoint, type Own, readOwn } from './heads.ts'

/** What this machine remembers about the log of a server. */
interface Remembered {
  url: string
  seenAt: string
  verifierKey: string
  note: string
}

const fileOf = (url: string, env: Env) =>
  join(folders.state(env), 'checkpoints', `${hash('sha256', url).slice(0, 32)}.json`)

/** What this machine remembers; undefined if nothing. A damaged file is remembered without fields. */
function recall(url: string, env: Env): Partial<Remembered> | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(url, env), 'utf8')) ?? {}
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    if (error instanceof SyntaxError) return {}
    throw error
  }
}

/** Whether this machine remembers anything about the log of a server. */
export const remembers = (url: string, env: Env): boolean => recall(url, env) !== undefined

/** Forgets the log of a server. The next one seen there is accepted as it is. */
export const forget = (url: string, env: Env) => rmSync(fileOf(url, env), { force: true })

/** This machine cannot store a checkpoint, for example on a full disk. Nothing is known against the log. */
export class NotRemembered extends Error {}

function remember({ url, verifierKey, note }: Omit<Remembered, 'seenAt'>, env: Env): void {
  const seen: Remembered = { url, seenAt: new Date().toISOString(), verifierKey, note }
  try {
    privateFolder(join(privateFolder(folders.state(env)), 'checkpoints'))
    writePrivate(fileOf(url, env), `${JSON.stringify(seen, null, 2)}\n`)
  } catch (error) {
    throw new NotRemembered((error as Error).message, { cause: error })
  }
}

/** How long a background process trusts its last check, in milliseconds. */
const trustedMs = 3_600_000

const accept = 'To accept the log as it is: conduct verify --forget'

/**
 * Compares the log of a server with what this machine saw of it before, by one request, and remembers the new state. If
 * the log does not continue it, returns the reason and keeps the old state. With `seldom`, checks once an hour. Throws
 * NotRemembered if the new state cannot be stored.
 */
export async function checkMemory(client: Client, url: string, env: Env, seldom = false): Promise<string | undefined> {
  const known = recall(url, env)
  if (seldom && known && Math.abs(Date.now() - Date.parse(known.seenAt ?? '')) < trustedMs) return undefined
  const [old] = checkpointsIn(String(known?.note ?? ''))
  if (known && !old) {
    return `What this machine remembers of the log of ${url} cannot be read in ${fileOf(url, env)}, so nothing shows that the log continues it. ${accept}`
  }
  const own = await readOwn(client, old?.size).catch((error: Error) => {
    if (error instanceof NoCheckpoint) return error
    throw error
  })
  if (own instanceof NoCheckpoint) return `The log of ${url} cannot be checked. ${own.message}`
  const reason = old ? reasonOf(old, known?.verifierKey, own) : undefined
  if (reason !== undefined) {
    return `The log of ${url} ${reason}, which contradicts what this machine saw at ${known?.seenAt}. Somebody rewrote the log, or restored an old copy. ${accept}`
  }
  if (own) remember({ url, verifierKey: own.verifierKey, note: own.head.note }, env)
}

function reasonOf(old: Checkpoint, oldKey: string | undefined, own: Own | undefined): string | undefined {
  if (!own) return 'is no longer sealed'
  const { head, verifierKey, consistency } = own
  if (old.origin !== head.origin) return `is ${head.origin} but was ${old.origin}`
  if (verifierKey !== oldKey) return 'is signed by another key'
  if (!isSignedBy(head, verifierKey)) return 'has a checkpoint that its key did not sign'
  return breakBetween(old, head, consistency)
}

interface CheckOptions {
  /** The time limit of the request, in milliseconds. */
  timeout: number
  /** Whether to check only once an hour. */
  seldom?: boolean
}

/**
 * Why the log of a server does not continue what this machine saw of it; undefined if it does, if the place is no
 * server, or if the server cannot be asked. Throws an Error if this machine cannot remember the log.
 */
export async function rewrittenWords(place: Place, env: Env, options: CheckOptions): Promise<string | undefined> {
  if (place.kind !== 'server') return undefined
  const { timeout, seldom } = options
  try {
    const { client } = await connect({ ...place, project: undefined }, env, { attempts: 1, timeout })
    return await checkMemory(client, place.url, env, seldom)
  } catch (error) {
    if (error instanceof ConductError || error instanceof UsageError) return undefined
    throw error
  }
}

export const notRememberedWords = (error: Error) => `The checkpoint of the log was not remembered: ${error.message}.`

/** The time limit of the request after a command, in milliseconds. A server that has just answered is fast. */
const afterCommandMs = 5_000

/**
 * After a command was recorded, warns if the server rewrote its log. Never throws: the exit code is that of the command.
 */
export async function warnIfRewritten(place: Place, env: Env, say: (words: string) => void): Promise<void> {
  const words = await rewrittenWords(place, env, { timeout: afterCommandMs }).catch(notRememberedWords)
  if (words !== undefined) say(words)
}
