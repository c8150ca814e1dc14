import type { Output } from '../../api/routes.ts'
import type { Client } from '../../client/client.ts'
import type { Checkpoint } from '../../ledger/checkpoint.ts'
import type { Fault } from './heads.ts'
import type { Names } from './names.ts'
import { isOwnFailure } from './prove.ts'
import { Scan } from './scan.ts'
import { readShown, type Shown, unchanged } from './shown.ts'

type Page = Output<'listLeaves'>

const pageSize = 1000

/** The result of reading the whole log. */
export interface Recomputed {
  events: number
  /** The number of events, from the first, that were dropped. Only their leaves are there. */
  dropped: number
  /** The number of erased texts. */
  erased: number
  faults: Fault[]
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
  const before = await readListed(client)
  await readInto(scan, client)
  const after = await readListed(client)
  const { events, dropped, erased, names } = scan
  const unlisted = [before, after].find((one) => one instanceof Error)
  const shown = before instanceof Error || after instanceof Error ? nothing : unchanged(before, after)
  const faults = [
    ...scan.faults(shown),
    ...(unlisted ? [{ words: `The server cannot list its keys and projects. ${unlisted.message}` }] : []),
  ]
  return { events, dropped, erased, faults, unknown: names.unknown(shown) }
}

const nothing: Shown = { keys: [], projects: [] }

/** The keys and projects; an error if the server cannot read them. */
const readListed = (client: Client): Promise<Shown | Error> =>
  readShown(client).catch((error: unknown) => {
    if (isOwnFailure(error)) return error
    throw error
  })

async function readInto(scan: Scan, client: Client): Promise<void> {
  let after = 0
  for (let hasMore = true; hasMore; ) {
    const page = await readPage(client, after)
    if (!page || (page.meta.hasMore && page.meta.lastSeq <= after)) return scan.stopAt(after + 1)
    const { leaves, meta } = page
    for (const leaf of meta.dropped ?? []) scan.addDropped(Buffer.from(leaf, 'base64'))
    for (const leaf of leaves) scan.add(leaf)
    hasMore = meta.hasMore
    after = meta.lastSeq
  }
}

/** The next page; a shorter one before an event that the server cannot read. Undefined at that event, or the one before. */
async function readPage(client: Client, after: number): Promise<Page | undefined> {
  for (let limit = pageSize; limit >= 1; limit = Math.floor(limit / 2)) {
    try {
      return await client.listLeaves({ after, limit })
    } catch (error) {
      if (!isOwnFailure(error)) throw error
    }
  }
  return undefined
}
