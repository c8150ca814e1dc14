import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { bytesIn, type Guarded, gitIn } from './guarded.ts'

/** The ids of objects in a text. */
const ids = /(?<![0-9a-f])(?:[0-9a-f]{64}|[0-9a-f]{40})(?![0-9a-f])/g

/** The ids of objects that texts name. */
export const idsIn = (texts: Iterable<string>): Set<string> =>
  new Set(Array.from(texts, (text) => text.match(ids) ?? []).flat())

/** The files of an index, with the ids of their contents. */
export const filesIn = (at: Guarded, index: string): string =>
  bytesIn(at, ['ls-files', '-s', '-z'], { env: { GIT_INDEX_FILE: index }, mostBytes: 67_108_864 }).toString('latin1')

/**
 * Deletes the loose objects of a session that are neither `named` nor in a tree that is, and that were stored or asked for before `until`,
 * in milliseconds since 1970: git marks an object that it would store again as new. Throws an Error if git fails.
 */
export function pruneObjects(at: Guarded, named: ReadonlySet<string>, until: number): void {
  const kept = reachable(at, named)
  for (const { path, id } of looseIn(at.objects)) {
    if (kept.has(id)) continue
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat && stat.mtimeMs < until) rmSync(path, { force: true })
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

function looseIn(objects: string): { path: string; id: string }[] {
  const folders = readdirSync(objects).filter((name) => /^[0-9a-f]{2}$/.test(name))
  return folders.flatMap((folder) =>
    readdirSync(join(objects, folder)).map((name) => ({ path: join(objects, folder, name), id: folder + name })),
  )
}
