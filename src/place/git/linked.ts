import { hash } from 'node:crypto'
import { mkdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Snapshot } from '../../recorder/work.ts'
import { foreignPart, mostBytes } from '../foreign.ts'
import { type Guarded, rewrite, textAt } from './guarded.ts'
import { type Repository, repositoryAt } from './repository.ts'

// A session may remove the linked working tree in which it works. The objects stay in the repository, but git deletes the
// reflog. So a snapshot notes where the repository is, and copies the reflog.

type Place = Pick<Snapshot, 'root' | 'objects'>

const noteOf = ({ root, objects }: Place) => {
  const folder = join(objects, 'linked', hash('sha256', root).slice(0, 16))
  return { folder, repository: join(folder, 'repository'), log: join(folder, 'log') }
}

/** Notes what outlives a linked working tree, with the first `log` bytes of its reflog of HEAD. */
export function noteLinked({ gitDir, commonDir, ...place }: Guarded, log: number): void {
  if (gitDir === commonDir) return
  const note = noteOf(place)
  if (statSync(note.log, { throwIfNoEntry: false })?.size === log) return
  mkdirSync(note.folder, { recursive: true, mode: 0o700 })
  rewrite(note.repository, commonDir)
  if (log > mostBytes) return
  const text = foreignPart(join(gitDir, 'logs/HEAD'), 0, log)
  // Where it is not UTF-8, the copy would have other lines at the same places.
  if (Buffer.byteLength(text) === log) rewrite(note.log, text)
}

/** The repository of a snapshot or, if the linked working tree was removed, the one that it belonged to. */
export function repositoryBehind(place: Place): Repository | undefined {
  return repositoryAt(place.root) ?? mainOf(place)
}

function mainOf(place: Place): Repository | undefined {
  const common = isGone(place) ? textAt(noteOf(place).repository) : undefined
  const main = common === undefined ? undefined : repositoryAt(dirname(common))
  return main?.commonDir === common ? main : undefined
}

/** Whether the working tree of a snapshot was removed. */
export const isGone = ({ root }: Pick<Snapshot, 'root'>): boolean =>
  statSync(root, { throwIfNoEntry: false }) === undefined

/** The file with the reflog of HEAD in the working tree of a snapshot. */
export function reflogOf(place: Place): string | undefined {
  const repository = repositoryAt(place.root)
  if (repository) return join(repository.gitDir, 'logs/HEAD')
  return isGone(place) ? noteOf(place).log : undefined
}
