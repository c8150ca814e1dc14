import { renameSync, writeFileSync } from 'node:fs'

/** Writes a file that only its owner can read, in one step or not at all. Replaces a file or link of that name. */
export function writePrivate(path: string, text: string) {
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, text, { mode: 0o600, flush: true })
  renameSync(draft, path)
}
