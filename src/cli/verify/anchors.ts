import { readFile } from 'node:fs/promises'
import { type Checkpoint, checkpointsIn } from '../../ledger/checkpoint.ts'
import { UsageError } from '../exit.ts'

/** How long to wait for an address, in milliseconds. */
const patienceMs = 30_000

/**
 * The checkpoints in a file or at an address. Throws a UsageError if there are none, and an Error if it cannot be read.
 */
export async function readAnchors(place: string): Promise<Checkpoint[]> {
  const text = /^https?:\/\//.test(place) ? await fetchText(place) : await readFile(place, 'utf8')
  const found = checkpointsIn(text)
  if (found.length === 0) throw new UsageError(`${place} contains no checkpoint: conduct log checkpoint prints one.`)
  return found
}

async function fetchText(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(patienceMs), headers: { accept: 'text/plain' } })
  if (response.ok) return response.text()
  throw new Error(`${url} answered ${response.status}.`)
}
