import { readFile } from 'node:fs/promises'
import { type Checkpoint, checkpointsIn } from '../log/seal/signed-note.ts'
import { UnreachableError, UsageError } from '../terminal/exit.ts'

/** How long to wait for an address, in milliseconds. */
const patienceMs = 30_000

/**
 * The checkpoints in a file or at an address. Throws a UsageError if there are none or the file cannot be read, and an
 * UnreachableError if the address does not return them.
 */
export async function readAnchors(place: string): Promise<Checkpoint[]> {
  const text = await (/^https?:\/\//.test(place) ? fetchText(place) : readFile(place, 'utf8').catch(refuse(place)))
  const found = checkpointsIn(text)
  if (found.length === 0) throw new UsageError(`${place} contains no checkpoint: conduct log checkpoint prints one.`)
  return found
}

const refuse = (path: string) => (error: Error) => {
  throw new UsageError(`Cannot read ${path}: ${error.message}`)
}

async function fetchText(url: string): Promise<string> {
  if (!URL.canParse(url)) throw new UsageError(`${url} is not an address.`)
  const signal = AbortSignal.timeout(patienceMs)
  const response = await fetch(url, { signal, headers: { accept: 'text/plain' } }).catch(unreached(url))
  if (!response.ok) throw new UnreachableError(`Cannot read ${url}: it returned status ${response.status}.`)
  return response.text().catch(unreached(url))
}

/** The cause of a failed request says more than its message, `fetch failed`. */
const unreached = (url: string) => (error: Error) => {
  const { code, message } = (error.cause ?? error) as NodeJS.ErrnoException
  throw new UnreachableError(`Cannot read ${url}: ${message || code}`)
}
