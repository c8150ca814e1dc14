import { randomUUID } from 'node:crypto'
import { copyFileSync, existsSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Guarded, jsonAt } from './guarded.ts'

/** What we know of git's own index without listing it again. Paths are in latin1, as git wrote them. */
export interface IndexFacts {
  /** The entries that are commits of other repositories, such as submodules. */
  links: string[]
  /** The entries marked `assume-unchanged` that are not on disk. */
  hidden: string[]
}

/** What is kept beside an index. */
interface ScratchState extends Pick<Scratch, 'stamp' | 'tree'> {
  /** Identifies that index: of two hooks at once, one may keep the index last, and the other its state. */
  index: string
  facts: IndexFacts
}

/** A copy of git's index, to work on. */
export interface Scratch {
  path: string
  /** The state of git's own index from which it comes, and of the files that say what else git ignores. */
  stamp: string
  /** Known if it continues the index of the last snapshot. */
  facts: IndexFacts | undefined
  /** The tree of that index, if it follows from its files alone. */
  tree: string | undefined
}

// The index of the last snapshot also lists files that are new to git, so git reads only what has changed since.

const keptIn = ({ folder }: Guarded) => ({ index: join(folder, 'index'), state: join(folder, 'index.json') })

/** Calls `work` with the path of an index that does not exist yet, and removes that index. */
export function withIndex<T>(guarded: Guarded, work: (index: string) => T): T {
  const index = scratchPath(guarded)
  try {
    return work(index)
  } finally {
    rmSync(index, { force: true })
  }
}

const scratchPath = ({ folder }: Guarded) => join(folder, `index-${randomUUID()}`)

/**
 * Copies the index of the last snapshot if `mayContinue`, and if neither git's own index nor the patterns outside the
 * working tree have changed since; else git's own.
 */
export function copyScratch(guarded: Guarded, mayContinue: boolean): Scratch {
  const path = scratchPath(guarded)
  const own = join(guarded.gitDir, 'index')
  const stamp = [own, ...patternsOf(guarded)].map(stampOf).join(', ')
  const kept = keptIn(guarded)
  const state = mayContinue ? jsonAt<ScratchState>(kept.state) : undefined
  const isItsIndex = () => state?.index === stampOf(kept.index)
  const isKept = state?.stamp === stamp && isItsIndex() && copyIndex(kept.index, path) && isItsIndex()
  if (!isKept) {
    rmSync(path, { force: true })
    copyIndex(own, path)
  }
  return { path, stamp, facts: isKept ? state.facts : undefined, tree: isKept ? state.tree : undefined }
}

/** Keeps an index for the next snapshot. */
export function keepIndex(guarded: Guarded, { path, stamp }: Scratch, facts: IndexFacts, tree: string | undefined) {
  if (!existsSync(path)) return
  const kept = keptIn(guarded)
  const index = stampOf(path)
  renameSync(path, kept.index)
  writeFileSync(kept.state, JSON.stringify({ stamp, index, facts, tree } satisfies ScratchState))
}

/** The files outside the working tree that say what git ignores. */
const patternsOf = ({ commonDir, settings }: Guarded): string[] => [
  join(commonDir, 'info/exclude'),
  settings['core.excludesfile'] ?? '',
]

/** Identifies a state of an index, or of another file. */
export function stampOf(index: string): string {
  const stat = statSync(index, { throwIfNoEntry: false, bigint: true })
  return stat ? `${stat.ino} ${stat.size} ${stat.mtimeNs}` : 'none'
}

/** Copies an index with its modification time, because git re-reads files that changed at that very moment. */
export function copyIndex(from: string, to: string): boolean {
  const stat = statSync(from, { throwIfNoEntry: false })
  if (!stat) return false
  copyFileSync(from, to)
  utimesSync(to, stat.atime, new Date(Math.floor(stat.mtimeMs)))
  return true
}
