import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))
const cache = join(root, 'node_modules/.cache/conduct')

/** A folder that the first of several processes creates, and that then stays. The others wait for it. */
export async function madeOnce(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(cache, name)
  mkdirSync(cache, { recursive: true })
  const maker = `${folder}.maker`
  while (!existsSync(folder)) {
    if (!isFirst(maker)) await sleep(50)
    else await makeAt(folder, make).finally(() => rmSync(maker, { force: true }))
  }
  return folder
}

async function makeAt(folder: string, make: (folder: string) => Promise<void>): Promise<void> {
  // The process before may have finished it just before this one became the first.
  if (existsSync(folder)) return
  const draft = mkdtempSync(join(cache, 'draft-'))
  try {
    await make(draft)
    renameSync(draft, folder)
  } catch (error) {
    // Of two that found the same dead maker, both may have begun.
    if (!existsSync(folder)) throw error
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

/** Whether this process is the one that creates the folder. A process that was killed meanwhile does not count. */
function isFirst(maker: string): boolean {
  try {
    writeFileSync(maker, String(process.pid), { flag: 'wx' })
    return true
  } catch {
    if (!isRunning(maker)) rmSync(maker, { force: true })
    return false
  }
}

function isRunning(maker: string): boolean {
  try {
    process.kill(Number(readFileSync(maker, 'utf8')), 0)
    return true
  } catch (error) {
    // EPERM: the process of another user runs.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** A folder that is created again whenever one of these files changes. */
export function builtOf(name: string, patterns: string[], make: (folder: string) => Promise<void>): Promise<string> {
  const hash = createHash('sha256')
  for (const path of globSync(patterns, { cwd: root }).sort()) hash.update(path).update(readFileSync(join(root, path)))
  return madeOnce(`${name}-${hash.digest('hex').slice(0, 16)}`, make)
}
