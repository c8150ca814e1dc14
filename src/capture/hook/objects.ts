import {
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Env } from '../../place/folders.ts'
import { openObjects } from '../../place/git/diff.ts'
import { bytesIn, type Guarded, gitIn } from '../../place/git/guarded.ts'
import type { Memo } from '../../recorder/memo.ts'
import type { Spool } from '../spool/state.ts'
import { objectsOf } from './note.ts'

// The git objects of sessions hold the contents of files as they are, with their secrets.

/** How long the objects of an ended session stay, in case it is resumed, and how much all sessions may have. */
const [keptMs, mostBytes] = [3 * 86_400_000, 536_870_912]
/** How often to look, in milliseconds. A hook names what it has stored long before that. */
const everyMs = 600_000
/** How long git may take for the objects of a session, in milliseconds. */
const pruneMs = 60_000

interface ObjectFolder {
  folder: string
  bytes: number
  /** When a hook stored something there last, in milliseconds since 1970. */
  usedAt: number
}

/**
 * Deletes the objects of deleted sessions, and of ended ones that have sent everything: those that are old, and while all
 * together are too large, those of the session that ended first. Of the other sessions, those stay that a diff still needs:
 * the trees before the run and at the end of its last turn, and all of turns that are not sent.
 */
export function forgetObjects(state: Spool, env: Env, now = Date.now()) {
  const root = objectsOf(env)
  if (!existsSync(root)) return
  const names = readdirSync(root).filter((name) => name !== marker)
  for (const name of names) if (!state.find(name)) remove(join(root, name))
  if (!isTime(join(root, marker), now)) return
  const unsent = new Set([...state.unsent(), ...state.owed()].map(({ name }) => name))
  const noted = new Set(state.noted())
  const all = names.map((name) => ({ name, ...keptIn(join(root, name)) })).sort((a, b) => a.usedAt - b.usedAt)
  let bytes = all.reduce((sum, one) => sum + one.bytes, 0)
  for (const { name, folder, bytes: own, usedAt } of all) {
    const isOver = state.find(name)?.ended === true && !unsent.has(name) && !noted.has(name)
    if (!isOver || (now - usedAt <= keptMs && bytes <= mostBytes)) {
      prune(state, { name, folder, usedAt, isSent: !unsent.has(name) && !noted.has(name) }, now)
      continue
    }
    remove(folder)
    bytes -= own
  }
}

interface Pruned extends Pick<ObjectFolder, 'folder' | 'usedAt'> {
  name: string
  isSent: boolean
}

/** Deletes what no diff needs any more. What cannot be read now stays for the next look. */
function prune(state: Spool, { name, folder, usedAt, isSent }: Pruned, now: number) {
  const done = join(folder, 'pruned')
  if ((statSync(done, { throwIfNoEntry: false })?.mtimeMs ?? 0) >= usedAt) return
  const { base, last = base } = (state.find(name)?.memo ?? {}) as Memo
  if (!last) return
  try {
    const at = openObjects(last.root, folder, pruneMs)
    // The next snapshot continues an index.
    const kept = (name: string) => globSync(`repositories/*/${name}`, { cwd: folder }).map((path) => join(folder, path))
    const trees = kept('index.json').map((path) => readFileSync(path, 'utf8'))
    const files = kept('index').map((path) => filesIn(at, path))
    pruneObjects(at, idsIn([...state.trees(name), ...trees, ...files]), now - everyMs)
  } catch {
    return
  }
  // Nothing is left to delete until a hook stores something.
  if (isSent && now - usedAt > everyMs) writeFileSync(done, '')
}

const marker = '.looked'

const remove = (folder: string) => rmSync(folder, { recursive: true, force: true })

/** Whether the last look is long ago. Then this one counts. */
function isTime(path: string, now: number): boolean {
  const last = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (Math.abs(now - last) < everyMs) return false
  mkdirSync(path, { recursive: true, mode: 0o700 })
  utimesSync(path, now / 1000, now / 1000)
  return true
}

function keptIn(folder: string): ObjectFolder {
  const kept: ObjectFolder = { folder, bytes: 0, usedAt: 0 }
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  for (const { parentPath, name } of files) {
    // A hook may be done with it meanwhile.
    const stat = statSync(join(parentPath, name), { throwIfNoEntry: false })
    kept.bytes += stat?.size ?? 0
    kept.usedAt = Math.max(kept.usedAt, stat?.mtimeMs ?? 0)
  }
  return kept
}

/** The ids of objects in a text. */
const ids = /(?<![0-9a-f])(?:[0-9a-f]{64}|[0-9a-f]{40})(?![0-9a-f])/g

/** The ids of objects that texts name. */
const idsIn = (texts: Iterable<string>): Set<string> =>
  new Set(Array.from(texts, (text) => text.match(ids) ?? []).flat())

/** The files of an index, with the ids of their contents. */
const filesIn = (at: Guarded, index: string): string =>
  bytesIn(at, ['ls-files', '-s', '-z'], { env: { GIT_INDEX_FILE: index }, mostBytes: 67_108_864 }).toString('latin1')

/**
 * Deletes the objects of a session that are neither `named` nor in a tree that is, and that were stored or asked for
 * before `until`, in milliseconds since 1970: git marks an object that it would store again as new. Throws an Error if
 * git fails.
 */
function pruneObjects(at: Guarded, named: ReadonlySet<string>, until: number): void {
  const kept = reachable(at, named)
  for (const { paths, ids } of [...looseIn(at.objects), ...packsIn(at)]) {
    if (ids.some((id) => kept.has(id))) continue
    const stat = statSync(paths[0] as string, { throwIfNoEntry: false })
    if (stat && stat.mtimeMs < until) for (const path of paths) rmSync(path, { force: true })
  }
}

/** The named objects, with everything in those that are trees. */
function reachable(at: Guarded, named: ReadonlySet<string>): Set<string> {
  const kept = new Set(named)
  const input = [...named].map((id) => `${id}\n`).join('')
  const kinds = gitIn(at, ['cat-file', '--batch-check=%(objectname) %(objecttype)'], { input })
  const trees = kinds.split('\n').filter((line) => line.endsWith(' tree'))
  if (trees.length === 0) return kept
  const words = ['rev-list', '--objects', '--no-object-names', '--missing=allow-any', '--stdin']
  const roots = trees.map((line) => `${line.split(' ')[0]}\n`).join('')
  for (const id of bytesIn(at, words, { input: roots, mostBytes: 67_108_864 }).toString('latin1').split('\n'))
    kept.add(id)
  return kept
}

/** Files with objects, of which the first tells when one of them was stored or asked for. */
interface ObjectGroup {
  paths: string[]
  ids: string[]
}

function looseIn(objects: string): ObjectGroup[] {
  const folders = readdirSync(objects).filter((name) => /^[0-9a-f]{2}$/.test(name))
  return folders.flatMap((folder) =>
    readdirSync(join(objects, folder)).map((name) => ({ paths: [join(objects, folder, name)], ids: [folder + name] })),
  )
}

/** The packs, in which git stores large files, and what a killed git has left of one. */
function packsIn(at: Guarded): ObjectGroup[] {
  const folder = join(at.objects, 'pack')
  if (!existsSync(folder)) return []
  const names = readdirSync(folder)
  const packs = names.filter((name) => name.endsWith('.pack')).map((name) => join(folder, name.slice(0, -5)))
  // A killed git leaves a pack without an index, and nobody can read it.
  const idsOf = (index: string) => (existsSync(index) ? gitIn(at, ['show-index'], { input: readFileSync(index) }) : '')
  return [
    ...packs.map((pack) => ({
      paths: ['.pack', '.idx', '.rev'].map((ending) => pack + ending),
      ids: [...idsIn([idsOf(`${pack}.idx`)])],
    })),
    ...names.filter((name) => name.startsWith('tmp_')).map((name) => ({ paths: [join(folder, name)], ids: [] })),
  ]
}
