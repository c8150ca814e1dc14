import { chmodSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
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
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw new Error(`${path} cannot be read (${(error as Error).message}). Nothing was written.`)
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
  writeFileSync(draft, text, { flush: true })
  if (edit.before !== undefined) chmodSync(draft, statSync(edit.path).mode & 0o7777)
  return draft
}
