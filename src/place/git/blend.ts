import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { contentsOf, hunksBetween, type Sides, sizesOf } from './diff.ts'
import { bytesIn, type Guarded, stored } from './guarded.ts'

/** A file as its mode and the id of its content; undefined: there is none. */
export type File = string | undefined

/** A larger content is not blended, in bytes. */
const most = 8_388_608

interface Change {
  from: File
  to: File
  /** Which lines to take where both have changed the same ones: those of the file, unless it is the change. */
  favor?: 'theirs'
}

/** A file with the change that leads from one version of it to another, as a merge would make it; as in `to` if git cannot. */
export function blended(at: Guarded, file: File, { from, to, favor }: Change): File {
  if (file === from || file === to) return to
  if (from === to) return file
  if (file === undefined || from === undefined || to === undefined) return to
  const [ours, old, theirs] = [partsOf(file), partsOf(from), partsOf(to)]
  if (![ours, old, theirs].every(isText)) return to
  const id = mergedId(at, [ours.id, old.id, theirs.id], favor ?? 'ours')
  return id === undefined ? to : `${theirs.mode === old.mode ? ours.mode : theirs.mode} ${id}`
}

/** How many renamed files to look for, and among how many. */
const mostCarried = 20

/**
 * Where git carried these changes of files that had another path before: to files of `seen`, each of which changed like that
 * alone. `before` is the tree without the changes.
 */
export function carriedIn(
  at: Guarded,
  before: string,
  changes: Map<string, Sides>,
  seen: Map<string, Sides>,
): Map<string, string> {
  const carried = new Map<string, string>()
  const isEdit = ([, { before, after }]: [string, Sides]) => before !== undefined && after !== undefined
  const unseen = [...changes].filter((one) => isEdit(one) && !seen.has(one[0]))
  const among = [...seen].filter((one) => isEdit(one) && !changes.has(one[0]))
  if (unseen.length === 0 || among.length === 0 || among.length > mostCarried) return carried
  const names = new Set(bytesIn(at, ['ls-tree', '-r', '--name-only', '-z', before]).toString('utf8').split('\0'))
  const renamed = unseen.filter(([path]) => !names.has(path))
  if (renamed.length > mostCarried) return carried
  for (const [path, { before: from, after: to }] of renamed) {
    const found = among.find(([, { before, after }]) => blended(at, before, { from, to, favor: 'theirs' }) === after)
    if (found) carried.set(path, found[0])
  }
  return carried
}

/**
 * A file with only the lines that were added to it since it was new; undefined if there are none, or the file is not
 * text.
 */
export function addedTo(at: Guarded, file: File, asNew: File): File {
  if (file === undefined || asNew === undefined || file === asNew) return undefined
  const [now, old] = [partsOf(file), partsOf(asNew)]
  if (!isText(now) || !isText(old)) return undefined
  const [hunks = ''] = hunksBetween(at, [{ before: old.id, after: now.id }])
  const added = hunks.split('\n').flatMap((line) => (line.startsWith('+') ? `${line.slice(1)}\n` : []))
  return added.length === 0 ? undefined : `${now.mode} ${stored(at, added.join(''))}`
}

const partsOf = (file: string) => {
  const [mode = '', id = ''] = file.split(' ')
  return { mode, id }
}

const isText = ({ mode }: { mode: string }) => mode.startsWith('100')

/** The id of a merge of three contents, which is stored; undefined if git cannot merge them. */
function mergedId(at: Guarded, ids: [ours: string, old: string, theirs: string], favor: string): string | undefined {
  const [ours, old, theirs] = ids
  if (ours === old || ours === theirs) return theirs
  if (old === theirs) return ours
  const sizes = sizesOf(at, ids)
  if (ids.some((id) => (sizes.get(id) ?? Number.POSITIVE_INFINITY) > most)) return undefined
  const contents = contentsOf(at, sizes)
  const folder = mkdtempSync(join(at.folder, 'blend-'))
  try {
    const paths = ids.map((id, index) => {
      const path = join(folder, `${index}`)
      writeFileSync(path, contents.get(id) ?? '')
      return path
    })
    return stored(at, bytesIn(at, ['merge-file', '-p', '-q', `--${favor}`, ...paths]))
  } catch {
    // For example a binary file.
    return undefined
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
