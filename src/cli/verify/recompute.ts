import type { Output } from '../../api/routes.ts'
import type { Client } from '../../client/client.ts'
import type { Checkpoint } from '../../ledger/checkpoint.ts'
import { isErased } from '../../ledger/event-text.ts'
import { leafOf } from '../../ledger/leaf.ts'
import { Roots } from '../../ledger/tree.ts'
import { type Fault, shorterThan } from './heads.ts'
import { isOwnFailure } from './prove.ts'

type Page = Output<'listLeaves'>
type Leaf = Page['leaves'][number]

const pageSize = 1000
/** Stands in for the leaf of an event that has none. */
const noLeaf = Buffer.alloc(32)

/** The result of reading the whole log. */
export interface Recomputed {
  events: number
  /** The number of events, from the first, that were dropped. Only their leaves are there. */
  dropped: number
  /** The number of erased texts. */
  erased: number
  faults: Fault[]
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
  let after = 0
  for (let hasMore = true; hasMore; ) {
    const page = await readPage(client, after)
    if (!page || (page.meta.hasMore && page.meta.lastSeq <= after)) {
      scan.stopAt(after + 1)
      break
    }
    const { leaves, meta } = page
    for (const leaf of meta.dropped ?? []) scan.addDropped(Buffer.from(leaf, 'base64'))
    for (const leaf of leaves) scan.add(leaf)
    hasMore = meta.hasMore
    after = meta.lastSeq
  }
  return { events: scan.events, dropped: scan.dropped, erased: scan.erased, faults: scan.faults() }
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

/** How many events had been dropped, as an event says that tells of it; 0 for any other event. */
function droppedBy({ type, changes }: Leaf): number {
  if (type !== 'erasure.created') return 0
  try {
    const first = (JSON.parse(changes) as { first?: [null, unknown] }).first?.[1]
    return typeof first === 'number' ? first - 1 : 0
  } catch {
    return 0
  }
}

/** Lists leave appends out and count them. Only a change of a run can be one; older servers do not say. */
const isMarkedRight = ({ type, isAppend = 0 }: Leaf) => isAppend === 0 || (isAppend === 1 && type === 'run.updated')

/** One pass over the log. */
class Scan {
  events = 0
  dropped = 0
  erased = 0
  readonly #own: Checkpoint | undefined
  /** The log's own checkpoint and the anchors, smallest first. */
  readonly #heads: readonly Checkpoint[]
  /** The tree of the events as they are now, and the tree of the stored leaves. */
  readonly #computed = new Roots()
  readonly #stored = new Roots()
  /** The first event that is missing. */
  #missing: number | undefined
  /** The first event whose stored leaf does not match. */
  #changed: number | undefined
  /** The first event that the server cannot read, unless that is the next one. */
  #unread: number | undefined
  /** The largest anchor that matches, before the first checkpoint that does not. */
  #fits = 0
  #misfit: { size: number; isStored: boolean } | undefined
  /** How many events the log itself says that it dropped. */
  #toldDropped = 0

  constructor(own: Checkpoint | undefined, anchors: readonly Checkpoint[]) {
    this.#own = own
    this.#heads = [...(own ? [own] : []), ...anchors].sort((a, b) => a.size - b.size)
  }

  /** Takes an event of which only the leaf is there. */
  addDropped(leaf: Buffer): void {
    this.dropped = ++this.events
    this.#computed.push(leaf)
    this.#stored.push(leaf)
    for (const head of this.#heads) if (head.size === this.events) this.#compare(head)
  }

  add(leaf: Leaf): void {
    this.events++
    this.#toldDropped = Math.max(this.#toldDropped, droppedBy(leaf))
    this.#missing ??= leaf.seq === this.events ? undefined : this.events
    if (this.#missing !== undefined || leaf.hash === null) return
    const stored = Buffer.from(leaf.hash, 'base64')
    const computed = this.#leafOf(leaf)
    if (!computed.equals(stored) || !isMarkedRight(leaf)) this.#changed ??= leaf.seq
    // Nothing after an unsealed event is sealed.
    if (this.#computed.size !== leaf.seq - 1) return
    this.#computed.push(computed)
    this.#stored.push(stored)
    for (const head of this.#heads) if (head.size === leaf.seq) this.#compare(head)
  }

  /** Ends the pass at an event that cannot be read. */
  stopAt(seq: number): void {
    this.#unread = seq
  }

  #leafOf({ hash: _, isAppend: __, salts, changes, ...event }: Leaf): Buffer {
    try {
      const parsed = JSON.parse(changes, (_, value) => {
        if (isErased(value)) this.erased++
        return value
      })
      return leafOf({ ...event, changes: parsed }, Buffer.from(salts, 'base64'))
    } catch {
      return noLeaf
    }
  }

  #compare(head: Checkpoint): void {
    if (this.#misfit) return
    const { size, root } = head
    // A match with the log's own checkpoint proves nothing: it may have been signed after the log was changed.
    if (this.#computed.root().equals(root)) this.#fits = head === this.#own ? this.#fits : size
    else this.#misfit = { size, isStored: this.#stored.root().equals(root) }
  }

  faults(): Fault[] {
    const inEvents = this.#missingFault() ?? this.#misfitFault() ?? this.#changedFault()
    const first = inEvents ?? this.#unreadFault() ?? this.#tailFault()
    // Second, because the event that does not fit may be the one that told what was dropped.
    return [first, this.#droppedFault()].filter((fault) => fault !== undefined)
  }

  #droppedFault(): Fault | undefined {
    const [seq, until] = [this.#toldDropped + 1, this.dropped]
    if (until < seq) return undefined
    const where = seq === until ? `Event ${seq} is` : `Events ${seq} to ${until} are`
    return { seq, until, words: `${where} missing, and the log does not say that it dropped them.` }
  }

  #missingFault(): Fault | undefined {
    const seq = this.#missing
    if (seq === undefined || (this.#changed ?? seq) < seq || this.#misfit) return undefined
    return { seq, until: seq, words: `Event ${seq} is missing.` }
  }

  #misfitFault(): Fault | undefined {
    if (!this.#misfit) return undefined
    const { size, isStored } = this.#misfit
    const changed = this.#changed ?? size
    // The stored leaves are the signed ones, so they show exactly which event was changed.
    if (isStored && changed <= size) return this.#changedFault()
    const [seq, until] = [this.#fits + 1, Math.min(changed, size)]
    const words = `The checkpoint of ${size} events does not fit: the stored tree was changed, too. The first changed event is between ${seq} and ${until}.`
    return { seq, until, words }
  }

  #changedFault(): Fault | undefined {
    const seq = this.#changed
    return seq === undefined ? undefined : { seq, until: seq, words: `Event ${seq} was changed after it was sealed.` }
  }

  #unreadFault(): Fault | undefined {
    const seq = this.#unread
    if (seq === undefined) return undefined
    return { seq, until: seq + 1, words: `The server cannot read event ${seq} or ${seq + 1}.` }
  }

  #tailFault(): Fault | undefined {
    const covered = this.#heads.at(-1)?.size ?? 0
    if (covered > this.events) return shorterThan(covered, this.events, this.#fits)
    const seq = this.#computed.size + 1
    if (covered < seq) return undefined
    return { seq, until: seq, words: `A checkpoint covers event ${seq}, but it is no longer sealed.` }
  }
}
