import type { Client } from '../client/client.ts'
import type { Checkpoint } from '../log/seal/signed-note.ts'
import type { Output } from '../operations/routes.ts'
import { isOwnFailure, type Mismatch } from './heads.ts'
import { type ListedNames, type Names, readShown, type ShownNames, unchanged } from './names.ts'
import { Scan } from './scan.ts'

type LeavesPage = Output<'listLeaves'>

const pageSize = 1000

/** The result of reading the whole log. */
interface Recomputed {
  events: number
  /** The number of events, from the first, that were dropped. Only their leaves are there. */
  dropped: number
  /** The number of erased texts. */
  erased: number
  faults: Mismatch[]
  /** The keys and projects whose names the log does not tell, or no longer. */
  unknown: ReturnType<Names['unknown']>
}

/**
 * Reads the whole log, recomputes its tree, and compares it with the stored leaves, with the log's own newest
 * checkpoint, if it has one, and with anchors. Needs an admin key.
 */
export async function recompute(
  client: Client,
  own: Checkpoint | undefined,
  anchors: readonly Checkpoint[],
): Promise<Recomputed> {
  const scan = new Scan(own, anchors)
  const found = await readRounds(scan, client)
  if (found.faults.length === 0 || !scan.isSound()) return found
  // A key that is renamed between two pages has two names in this pass, and one in a new pass.
  return readRounds(new Scan(own, anchors), client)
}

async function readRounds(scan: Scan, client: Client): Promise<Recomputed> {
  let before = await readListed(client)
  let last = 0
  for (let round = 1; ; round++) {
    last = await readInto(scan, client, last)
    const after = await readListed(client)
    const unlisted = [before, after].find((one) => one instanceof Error)
    const shown = before instanceof Error || after instanceof Error ? nothing : unchanged(before, after)
    const faults = [
      ...scan.faults(shown),
      ...(unlisted ? [{ words: `The server cannot list its keys and projects. ${unlisted.message}` }] : []),
    ]
    const { events, dropped, erased, names } = scan
    if (faults.length === 0 || round === mostRounds) {
      return { events, dropped, erased, faults, unknown: names.unknown(shown) }
    }
    before = after
  }
}

/** A page shows the names of its moment, and the events that changed them may follow: then read on. */
const mostRounds = 3

const nothing: ShownNames = { keys: [], projects: [], keyIds: new Set() }

/** The keys and projects; an error if the server cannot read them. */
const readListed = (client: Client): Promise<ListedNames | Error> =>
  readShown(client).catch((error: unknown) => {
    if (isOwnFailure(error)) return error
    throw error
  })

/** Reads the events after one. Returns the last that it read. */
async function readInto(scan: Scan, client: Client, last: number): Promise<number> {
  let after = last
  for (let hasMore = true; hasMore; ) {
    const page = await readPage(client, after)
    if (!page || (page.meta.hasMore && page.meta.lastSeq <= after)) {
      scan.stopAt(after + 1)
      return after
    }
    const { leaves, meta } = page
    for (const leaf of meta.dropped ?? []) scan.addDropped(Buffer.from(leaf, 'base64'))
    for (const leaf of leaves) scan.add(leaf)
    hasMore = meta.hasMore
    after = meta.lastSeq
  }
  return after
}

/** The next page; a shorter one before an event that the server cannot read. Undefined at that event, or the one before. */
async function readPage(client: Client, after: number): Promise<LeavesPage | undefined> {
  for (let limit = pageSize; limit >= 1; limit = Math.floor(limit / 2)) {
    try {
      return await client.listLeaves({ after, limit })
    } catch (error) {
      if (!isOwnFailure(error)) throw error
    }
  }
  return undefined
}

/** What `conduct verify` cannot find, for its answer: a reader should not have to know the documentation. */
export function notCovered(found: Recomputed | undefined, events: number, anchored: number): string[] {
  if (!found) return ['everything but that the log continues its checkpoints: use an admin key of the whole server']
  const { dropped, unknown } = found
  const names = [listed('key', unknown.keys), listed('project', unknown.projects)].filter((one) => one !== '')
  return [
    ...(anchored < events
      ? [
          `events ${anchored + 1} to ${events}: anyone who can write to the database can rewrite them, as no anchor has them`,
        ]
      : []),
    ...(dropped > 0
      ? [
          `events 1 to ${dropped}: only their leaves are left. Anyone who can write to the database can delete the oldest events and record it as the server does; --complete makes it a fault. The first change of a run after them may be marked as an append`,
        ]
      : []),
    ...(names.length > 0 ? [`the names of ${names.join(' and ')}: the log does not tell them`] : []),
    'the rows of runs, turns, specs, checks, features and webhooks, their texts, and the secrets of keys: only the log is sealed',
    'whether what an event says is true, who held a key, and whether Conduct itself or its retention acted',
  ]
}

/** How many numbers to list. */
const most = 10

function listed(noun: string, ids: readonly (number | string | null)[]): string {
  if (ids.length === 0) return ''
  const shown = ids.slice(0, most).join(', ')
  return `${noun}${ids.length === 1 ? '' : 's'} ${shown}${ids.length > most ? ', …' : ''}`
}
