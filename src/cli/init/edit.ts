import { chmodSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path'
import { UsageError } from '../exit.ts'

/** A file before and after; undefined where there is none. */
export interface Edit {
  path: string
  before: string | undefined
  after: string | undefined
}

/** The edit of a file by a function of its text. Throws an Error that names a file which cannot be read, a UsageError for what stands in it. */
export function editOf(path: string, change: (before: string | undefined) => string | undefined): Edit {
  const before = readText(path)
  try {
    return { path, before, after: change(before) }
  } catch (error) {
    throw new UsageError(`${path}: ${(error as Error).message}. Nothing was written.`)
  }
}

export function readText(path: string): string | undefined {
  try {
    if (!statSync(path).isFile()) throw new Error('it is no regular file')
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw new Error(`${path} cannot be read (${(error as Error).message}). Nothing was written.`)
  }
}

/**
 * Throws a UsageError for an edit whose file lies elsewhere by way of a link: a repository from elsewhere could lead it to
 * any file of the user's, or to what git runs. A link to a file of the same project is fine.
 */
export function refuseOutside(root: string, edits: Edit[]) {
  const top = realpathSync(root)
  for (const { path } of edits) {
    const real = realPath(path)
    const steps = relative(top, real).split(sep)
    if (steps[0] !== '..' && !isAbsolute(relative(top, real)) && !steps.includes('.git')) continue
    throw new UsageError(
      `${path} leads to ${real} by a link, out of the project: make it a file of its own first. Nothing was written.`,
    )
  }
}

/** Where a path leads; of what does not exist, the part that does. */
function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return join(realPath(dirname(path)), basename(path))
  }
}

export const isChange = ({ before, after }: Edit) => before !== after

/** Writes all files or, when one cannot be written, none of them. */
export function writeAll(edits: Edit[]) {
  const drafts: string[] = []
  const done: Edit[] = []
  try {
    // Whatever is likely to fail does so here, before the first file is touched.
    for (const edit of edits) if (edit.after !== undefined) drafts.push(drafted(edit, edit.after))
    for (const edit of edits) {
      if (edit.after === undefined) rmSync(targetOf(edit))
      else renameSync(draftOf(edit), targetOf(edit))
      done.push(edit)
    }
  } catch (error) {
    for (const edit of done) {
      if (edit.before === undefined) rmSync(edit.path)
      else writeFileSync(targetOf(edit), edit.before)
    }
    for (const draft of drafts) rmSync(draft, { force: true })
    throw new Error(`${(error as Error).message}. Nothing was written.`)
  }
}

/** A link stays one: what it leads to is written. */
const targetOf = ({ path, before }: Edit) => (before === undefined ? path : realpathSync(path))

const draftOf = (edit: Edit) => `${targetOf(edit)}.conduct-${process.pid}`

/** Puts the new text beside the file, and answers where. */
function drafted(edit: Edit, text: string): string {
  mkdirSync(dirname(edit.path), { recursive: true })
  const draft = draftOf(edit)
  // Not through a link that stands there.
  writeFileSync(draft, text, { flush: true, flag: 'wx' })
  if (edit.before !== undefined) chmodSync(draft, statSync(edit.path).mode & 0o7777)
  return draft
}
