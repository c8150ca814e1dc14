import { lstatSync, mkdirSync, realpathSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, sep } from 'node:path'
import { foreignText } from '../../place/foreign.ts'
import { pathIn, realIfThere, realPath } from '../../system/paths.ts'
import { writeLike } from '../../system/private.ts'
import { UsageError } from '../../terminal/exit.ts'

/** The text of a file before and after an edit; undefined means no file. */
export interface FileEdit {
  path: string
  before: string | undefined
  after: string | undefined
}

/**
 * An edit of a file by a function of its text. Throws an Error that names a file it cannot read, and a UsageError for
 * content it cannot change.
 */
export function editOf(path: string, change: (before: string | undefined) => string | undefined): FileEdit {
  const before = readText(path)
  try {
    return { path, before, after: change(before) }
  } catch (error) {
    throw new UsageError(`${path}: ${(error as Error).message}. Nothing was written.`)
  }
}

/** The text of a file; undefined if there is none. Throws an Error that names a file it cannot read. */
export function readText(path: string): string | undefined {
  try {
    return foreignText(path)
  } catch (error) {
    throw new Error(`${(error as Error).message}. Nothing was written.`)
  }
}

/**
 * Throws a UsageError for an edit whose file lies outside the project because of a link. A cloned repository could use
 * one to reach any file of the user, or files that git runs. A link to a file of the same project is fine.
 */
export function refuseOutside(root: string, edits: FileEdit[]) {
  const top = realPath(root)
  for (const { path } of edits) {
    const real = realIfThere(path)
    if (pathIn(top, real)?.split(sep).includes('.git') === false) continue
    throw new UsageError(
      `${path} leads through a link to ${real}, outside the project: replace the link first. Nothing was written.`,
    )
  }
}

export const isChange = ({ before, after }: FileEdit) => before !== after

/**
 * Writes all files below a folder, or none of them if one cannot be written. Folders that are empty without a removed
 * file go, too: `conduct init` would take them for traces of an agent.
 */
export function writeAll(edits: FileEdit[], root: string) {
  const drafts: string[] = []
  const done: FileEdit[] = []
  const made: { folder: string; within: string }[] = []
  try {
    // Whatever is likely to fail fails here, before the first file is touched.
    for (const edit of edits) {
      if (edit.after === undefined) continue
      const folder = dirname(edit.path)
      const first = mkdirSync(folder, { recursive: true })
      if (first !== undefined) made.push({ folder, within: dirname(first) })
      drafts.push(drafted(edit, edit.after))
    }
    for (const edit of edits) {
      if (edit.after === undefined) rmSync(targetOf(edit))
      else renameSync(draftOf(edit), targetOf(edit))
      done.push(edit)
    }
  } catch (error) {
    for (const { path, before } of done) {
      if (before === undefined) rmSync(path)
      else writeFileSync(path, before)
    }
    for (const draft of drafts) rmSync(draft, { force: true })
    for (const { folder, within } of made) removeEmpty(folder, within)
    throw new Error(`${(error as Error).message}. Nothing was written.`)
  }
  for (const { path, after } of edits) if (after === undefined) removeEmpty(dirname(path), root)
}

/** Removes a folder, and those around it within another one, while they are empty. */
function removeEmpty(folder: string, within: string) {
  if (!pathIn(within, folder)) return
  try {
    // Windows would remove a link to a folder, even if that is not empty.
    if (lstatSync(folder).isSymbolicLink()) return
    rmdirSync(folder)
  } catch {
    return
  }
  removeEmpty(dirname(folder), within)
}

/** A link stays a link: we write to its target. */
const targetOf = ({ path, before }: FileEdit) => (before === undefined ? path : realpathSync(path))

const draftOf = (edit: FileEdit) => `${targetOf(edit)}.conduct-${process.pid}`

/** Writes the new text to a file beside the old one. Returns the path. */
function drafted(edit: FileEdit, text: string): string {
  const draft = draftOf(edit)
  // Never follows an existing link of that name.
  writeLike(draft, text, edit.before === undefined ? undefined : edit.path)
  return draft
}
