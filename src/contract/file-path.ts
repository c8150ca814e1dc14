/** Paths of files from the root of a repository, and the folders above them, which end in a slash. */

/** Runs are not found by folders below this level. */
export const mostLevels = 32

/** The words for the form of a path that runs are found by. */
export const pathForm = "a path from the repository's root, such as src/auth.ts, or a folder such as src/"

/** A path in the form that runs are found by, without `./` at its start; undefined if it has no such form. */
export function pathFrom(text: string): string | undefined {
  const path = text.replace(/^(\.\/+)+/, '')
  const parts = path.split('/')
  const names = path.endsWith('/') ? parts.slice(0, -1) : parts
  return names.every((name) => name !== '' && name !== '.' && name !== '..') ? path : undefined
}

/** The folders above a file or folder down to `mostLevels`, the outermost first. */
export function foldersAbove(path: string): string[] {
  const folders: string[] = []
  for (let end = path.indexOf('/') + 1; end > 0 && end < path.length; end = path.indexOf('/', end) + 1) {
    if (folders.length === mostLevels) break
    folders.push(path.slice(0, end))
  }
  return folders
}

/** The paths that find a run that wrote a file: its own, and those of the folders above it. */
export function pathsFinding(file: string): string[] {
  const path = pathFrom(file)
  return path === undefined || path.endsWith('/') ? [] : [path, ...foldersAbove(path)]
}
