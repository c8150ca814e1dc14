import { type Changes, isErased } from '../log/event.ts'
import { leafOf } from '../log/seal/leaf.ts'
import type { Leaf } from '../log/seal/routes.ts'
import type { Checkpoint } from '../log/seal/signed-note.ts'
import { Roots } from '../log/seal/tree.ts'
import { type Mismatch, shorterThan } from './heads.ts'
import { Names, type ShownNames } from './names.ts'

/** Stands in for the leaf of an event that has none. */
const noLeaf = Buffer.alloc(32)

/** How many events after those that were dropped may belong to one of them. */
const earlyEvents = 1_000

function computedOf({ salts, ...event }: Leaf, changes: Changes | undefined): Buffer {
  if (!changes) return noLeaf
  try {
    return leafOf({ ...event, changes }, Buffer.from(salts, 'base64'))
  } catch {
    return noLeaf
  }
}

/** How many events had been dropped, as an event of Conduct itself says that tells of it; 0 for any other event. */
function droppedBy({ type, actorKind }: Leaf, changes: Changes): number {
  const first = changes.first?.[1]
  return type === 'erasure.created' && actorKind === 'system' && typeof first === 'number' ? first - 1 : 0
}

/** One pass over the log. */
export class Scan {
  events = 0
  dropped = 0
  erased = 0
  readonly names = new Names()
  readonly #marks = new Marks()
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
  /** The first event that is wrongly marked as an append, or as none. */
  #mismarked: number | undefined
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
    const changes = this.#changesOf(leaf)
    if (changes) this.#follow(leaf, changes)
    this.#missing ??= leaf.seq === this.events ? undefined : this.events
    if (this.#missing !== undefined || leaf.hash === null) return
    const stored = Buffer.from(leaf.hash, 'base64')
    const computed = computedOf(leaf, changes)
    if (!computed.equals(stored)) this.#changed ??= leaf.seq
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

  /** Notes what follows from an event. */
  #follow(leaf: Leaf, changes: Changes): void {
    this.#toldDropped = Math.max(this.#toldDropped, droppedBy(leaf, changes))
    this.names.add(leaf, changes)
    const isEarly = this.dropped > 0 && leaf.seq <= this.dropped + earlyEvents
    if (!this.#marks.isRight(leaf, changes, isEarly)) this.#mismarked ??= leaf.seq
  }

  /** The changes of an event; undefined if they are no JSON of an object. */
  #changesOf({ changes }: Leaf): Changes | undefined {
    try {
      const parsed = JSON.parse(changes, (_, value) => {
        if (isErased(value)) this.erased++
        return value
      })
      return Object.values(parsed).every(Array.isArray) ? parsed : undefined
    } catch {
      return undefined
    }
  }

  #compare(head: Checkpoint): void {
    if (this.#misfit) return
    const { size, root } = head
    // A match with the log's own checkpoint proves nothing: it may have been signed after the log was changed.
    if (this.#computed.root().equals(root)) this.#fits = head === this.#own ? this.#fits : size
    else this.#misfit = { size, isStored: this.#stored.root().equals(root) }
  }

  /** `shown` has the keys and projects that did not change while the log was read. */
  faults(shown: ShownNames): Mismatch[] {
    const faults = this.#faultsInLog()
    return faults.length > 0 ? faults : this.names.faults(shown, this.dropped === 0)
  }

  /** Whether there is no fault but in names. */
  isSound(): boolean {
    return this.#faultsInLog().length === 0
  }

  #faultsInLog(): Mismatch[] {
    const inEvents = this.#missingFault() ?? this.#misfitFault() ?? this.#changedFault()
    const first = inEvents ?? this.#unreadFault() ?? this.#tailFault() ?? this.#markFault()
    // Second, because the event that does not fit may be the one that told what was dropped.
    return [first, this.#droppedFault()].filter((fault) => fault !== undefined)
  }

  #droppedFault(): Mismatch | undefined {
    const [seq, until] = [this.#toldDropped + 1, this.dropped]
    if (until < seq) return undefined
    const where = seq === until ? `Event ${seq} is` : `Events ${seq} to ${until} are`
    return { seq, until, words: `${where} missing, and the log does not say that it dropped them.` }
  }

  #missingFault(): Mismatch | undefined {
    const seq = this.#missing
    if (seq === undefined || (this.#changed ?? seq) < seq || this.#misfit) return undefined
    return { seq, until: seq, words: `Event ${seq} is missing.` }
  }

  #misfitFault(): Mismatch | undefined {
    if (!this.#misfit) return undefined
    const { size, isStored } = this.#misfit
    const changed = this.#changed ?? size
    // The stored leaves are the signed ones, so they show exactly which event was changed.
    if (isStored && changed <= size) return this.#changedFault()
    const [seq, until] = [this.#fits + 1, Math.min(changed, size)]
    const words = `The checkpoint of ${size} events does not fit: the stored tree was changed, too. The first changed event is between ${seq} and ${until}.`
    return { seq, until, words }
  }

  #changedFault(): Mismatch | undefined {
    const seq = this.#changed
    return seq === undefined ? undefined : { seq, until: seq, words: `Event ${seq} was changed after it was sealed.` }
  }

  #markFault(): Mismatch | undefined {
    const seq = this.#mismarked
    if (seq === undefined) return undefined
    return {
      seq,
      until: seq,
      words: `Event ${seq} is marked as a plain append but is not one, or the other way round.`,
    }
  }

  #unreadFault(): Mismatch | undefined {
    const seq = this.#unread
    if (seq === undefined) return undefined
    return { seq, until: seq + 1, words: `The server cannot read event ${seq} or ${seq + 1}.` }
  }

  #tailFault(): Mismatch | undefined {
    const covered = this.#heads.at(-1)?.size ?? 0
    if (covered > this.events) return shorterThan(covered, this.events, this.#fits)
    const seq = this.#computed.size + 1
    if (covered < seq) return undefined
    return { seq, until: seq, words: `A checkpoint covers event ${seq}, but it is no longer sealed.` }
  }
}

/** How many runs to remember whose turn was recorded, and whose change by it was not yet. */
const most = 10_000

/**
 * Checks which events are marked as appends, which lists and timelines leave out and count. The seal does not cover the
 * marks, but they follow from the events.
 */
class Marks {
  /** The runs whose next change is that of a turn. */
  readonly #turned = new Set<string>()
  /** The runs that early events are about. */
  readonly #early = new Set<string>()

  /**
   * Whether an event is marked as it must be. Takes them in their order. For an early one, the turn that made it may have
   * been dropped.
   */
  isRight({ type, subject, projectId, isAppend }: Leaf, changes: Changes, isEarly: boolean): boolean {
    const run = `${projectId} ${subject}`
    if (type === 'turn.created') this.#note(run.slice(0, run.lastIndexOf('/')))
    const mayBeTurn = isEarly && !this.#early.has(run)
    if (isEarly) this.#early.add(run)
    const isTurn = type === 'run.updated' && this.#turned.delete(run)
    if (isAppend === undefined) return true
    if (isAppend !== 0 && isAppend !== 1) return false
    if (type !== 'run.updated') return isAppend === 0
    if (isTurn) return (isAppend === 1) === !(changes.status || changes.verdict)
    const mark = markOf(changes)
    return mark === undefined || isAppend === mark || (mayBeTurn && isAppend === 1)
  }

  #note(run: string): void {
    this.#turned.add(run)
    const [oldest] = this.#turned
    if (this.#turned.size > most && oldest !== undefined) this.#turned.delete(oldest)
  }
}

/** The mark of a change of a run that no turn made; undefined for one of version 0.1, which may have either. */
function markOf({ content, ...others }: Changes): 0 | 1 | undefined {
  if (!content || Object.keys(others).length > 0) return 0
  const after = content[1] as { appended?: unknown; sha256?: unknown } | null
  if (after?.appended !== undefined) return 1
  return after?.sha256 === undefined ? undefined : 0
}
