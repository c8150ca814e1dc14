import { isUtf8 } from 'node:buffer'
import { isAbsolute } from 'node:path'
import { structuredPatch } from 'diff'
import { type DiffInput, type FileChange, mostDiff } from '../../nouns/run/diff/fields.ts'
import { bytesIn, withRepository } from '../../place/git/guarded.ts'
import { contentAfter, type Written } from '../../recorder/transcripts/written.ts'
import { pathsOf } from './placed.ts'
import { shownOf } from './shown-hunks.ts'
import { mostTurnBytes, withMaskedNames } from './turn-diffs.ts'

// Diffs of a session of which there are no trees: from what its transcript has of the contents of files.

/** A larger content is not compared, nor two of which that takes more milliseconds. */
export const most = { content: 8_388_608, ms: 2_000 }

interface PastPlace {
  root: string | undefined
  cwd: string
  /** Whether the rules leave the text of diffs out. */
  isWithheld: boolean
  /** The files as they are. If given, those are left out that a command changed, which no transcript shows. */
  onDisk?: OnDisk
}

export interface OnDisk {
  /** Whether a file has that content now. */
  has(path: string, content: string | null): boolean
  /** The content of a file before the run. */
  original(path: string): PastContent
  /** Whether a file is older than the run, so that a tool that added it wrote over it. */
  isOlder(path: string): boolean
}

/** A content; null if there is no file, undefined if it is unknown. */
export type PastContent = string | null | undefined

/** What is known of a file: its content before the run, and now. */
interface KnownFile {
  base: PastContent
  now: PastContent
  /** Its content is from git, and may have differed where no hunk shows it. */
  isFromGit: boolean
}

interface PastChange {
  before: string | null
  after: string | null
  isFromGit: boolean
}

export interface PastDiffs {
  /**
   * Reads what the session wrote in its next turn: these files, of which the transcript has so much. The function returned
   * makes the diffs of the turn.
   */
  next(written: readonly Written[], files: readonly string[], commit: string | undefined): () => Promise<DiffInput[]>
}

/**
 * Makes the diffs of a session's turns, one after the other. A file is left out if its contents before and after are
 * not certain. If somebody else also changed a file in a turn, that turn has only what the run has changed by its end.
 */
export function createPastDiffs({ root, cwd, isWithheld, onDisk }: PastPlace): PastDiffs {
  const known = new Map<string, KnownFile>()
  // A file elsewhere is no part of the work.
  const placed = (file: string) => pathsOf(root, cwd, [file]).find((path) => !isAbsolute(path))
  return {
    next(written, files, commit) {
      const start = new Map<string, string | null>()
      const unsure = new Set<string>()
      const seen = new Set(written.map(({ path }) => placed(path)))
      const unseen = files.filter((path) => !seen.has(placed(path))).map((path): Written => ({ path }))
      for (const one of [...written, ...unseen]) {
        const path = placed(one.path)
        if (path === undefined) continue
        const at = known.get(path)
        const first = () => onDisk?.original(path) ?? firstOf(one, { root, commit, path, onDisk })
        const before = at ? at.now : one.before === undefined ? first() : one.before
        const change = changeOf(one, before)
        const isFromGit = at?.isFromGit ?? (!onDisk && one.hunks !== undefined && change !== undefined)
        if (!change || (start.has(path) && change.before !== at?.now)) unsure.add(path)
        if (change && !start.has(path)) start.set(path, change.before)
        known.set(path, { base: at ? at.base : change?.before, now: change?.after, isFromGit })
      }
      const all = [...start].flatMap(([path, before]) => {
        const { base, now, isFromGit } = known.get(path) as KnownFile
        if (base === undefined || now === undefined || onDisk?.has(path, now) === false) return []
        const change = unsure.has(path) || before === now ? undefined : { before, after: now, isFromGit }
        const whole = { before: base, after: now, isFromGit }
        return change || base !== before || unsure.has(path) ? [{ path, change, whole }] : []
      })
      return () => diffsOf(all, isWithheld)
    },
  }
}

/** The content of a file before a session first wrote it; undefined if nobody knows. */
function firstOf(
  { after, hunks }: Written,
  { root, commit, path, onDisk }: Pick<PastPlace, 'root' | 'onDisk'> & { commit: string | undefined; path: string },
): PastContent {
  if (root === undefined) return hunks === undefined && after !== undefined && !onDisk?.isOlder(path) ? null : undefined
  return commit === undefined ? undefined : contentAt(root, commit, path)
}

/** What a tool changed; undefined if the contents are not known. */
function changeOf(written: Written, known: PastContent): Omit<PastChange, 'isFromGit'> | undefined {
  const { before = known, hunks } = written
  const after =
    hunks === undefined ? written.after : typeof before === 'string' ? contentAfter(written, before) : undefined
  if (before === undefined || after === undefined) return undefined
  return [before, after].every(isComparable) ? { before, after } : undefined
}

const isComparable = (content: string | null): boolean =>
  content === null || (content.length <= most.content && content.isWellFormed())

interface ChangedFile {
  path: string
  change: PastChange | undefined
  whole: PastChange
}

/** The diffs with their texts: the smallest files first, so that a large one does not leave others without. */
async function diffsOf(changed: ChangedFile[], isWithheld: boolean): Promise<DiffInput[]> {
  const left = { change: mostTurnBytes, whole: mostTurnBytes }
  const diffs: DiffInput[] = []
  const shown = async (path: string, one: PastChange, which: 'change' | 'whole') => {
    const change = await fileChangeOf(path, one, { most: Math.min(left[which], mostDiff.fileBytes), isWithheld })
    left[which] -= Buffer.byteLength(change?.patch ?? '')
    return change
  }
  const sizeOf = ({ whole: { before, after } }: ChangedFile) => (before?.length ?? 0) + (after?.length ?? 0)
  const first = changed.toSorted((a, b) => (a.path < b.path ? -1 : 1)).slice(0, mostDiff.files)
  for (const { path, change, whole } of first.sort((a, b) => sizeOf(a) - sizeOf(b))) {
    const own = change && (await shown(path, change, 'change'))
    const isSame = change?.before === whole.before
    const all = isSame || whole.before === whole.after ? null : await shown(path, whole, 'whole')
    // Comparing took too long.
    if ((change && !own) || all === undefined) continue
    diffs.push({ path, ...(own && { change: own }), ...(!isSame && { whole: all }) })
  }
  return withMaskedNames(diffs)
}

async function fileChangeOf(
  path: string,
  { before, after, isFromGit }: PastChange,
  manner: { most: number; isWithheld: boolean },
): Promise<FileChange | undefined> {
  const hunks = hunksOf(before ?? '', after ?? '', isFromGit)
  if (hunks === undefined) return undefined
  const sides = { before, after }
  const contents = new Map(Object.entries(sides).map(([id, text]) => [id, Buffer.from(text ?? '')]))
  const isText = [...contents.values()].every((content) => !content.includes(0))
  const side = (id: 'before' | 'after') => (sides[id] === null ? {} : { [id]: { id, mode: '' } })
  const changed = { path, ...side('before'), ...side('after') }
  return {
    status: before === null ? 'added' : after === null ? 'deleted' : 'modified',
    ...(await shownOf({ contents }, changed, isText ? hunks : undefined, manner)),
  }
}

/** The hunks from one content to the other; undefined if that takes too long. */
function hunksOf(before: string, after: string, isFromGit: boolean): string | undefined {
  const patch = structuredPatch('', '', before, after, '', '', { context: isFromGit ? 1 : 3, timeout: most.ms })
  const range = (start: number, lines: number) =>
    lines === 1 ? `${start}` : `${lines === 0 ? start - 1 : start},${lines}`
  return patch?.hunks
    .map(
      ({ oldStart, oldLines, newStart, newLines, lines }) =>
        `@@ -${range(oldStart, oldLines)} +${range(newStart, newLines)} @@\n${lines.map((line) => `${line}\n`).join('')}`,
    )
    .join('')
}

/** The content of a file in a commit; null if it has no such file, undefined if that is unknown or not UTF-8. */
function contentAt(root: string, commit: string, path: string): string | null | undefined {
  if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(commit)) return undefined
  return withRepository(root, (of) => {
    if (bytesIn(of, ['ls-tree', '-z', commit, '--', path]).length === 0) return null
    const content = bytesIn(of, ['cat-file', 'blob', `${commit}:${path}`], { mostBytes: 8_388_608 })
    return isUtf8(content) ? content.toString('utf8') : undefined
  })
}
