import { renameSync, rmSync, writeFileSync } from 'node:fs'

/** Writes a file that only its owner can read, in one step or not at all. Replaces a file or link of that name. */
export function writePrivate(path: string, text: string) {
  const draft = `${path}.${process.pid}`
  // A draft of a killed process with the same number, or of somebody else, would keep its mode.
  rmSync(draft, { force: true })
  try {
    writeFileSync(draft, text, { mode: 0o600, flush: true, flag: 'wx' })
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}
