import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { heardAgents } from '../../capture/hook/heard.ts'
import { stateFile } from '../../capture/spool/state-file.ts'
import { unsentOf } from '../../capture/spool/unsent.ts'
import { type Env, folders } from '../../place/folders.ts'
import { repositoryAt } from '../../place/git/repository.ts'
import { gitFault } from '../../place/git/tree.ts'
import { isDiskFull } from '../../system/disk.ts'
import { isShared, modeWords } from '../../system/private.ts'

/** One result of `conduct doctor`. A `note` is neither good nor bad. */
export interface Finding {
  about: string
  state: 'ok' | 'note' | 'warn' | 'fail'
  told: string
}

export const found = (about: string, state: Finding['state'], told: string): Finding => ({ about, state, told })

/** Checks that only the owner can read a folder or file. */
export function privacy(about: string, path: string): Finding {
  if (!existsSync(path)) return found(about, 'note', `${path} does not exist yet`)
  const stat = statSync(path)
  const told = [path, ...modeWords(stat)].join(', ')
  if (!isShared(stat)) return found(about, 'ok', told)
  return found(about, 'warn', `${told}: other users can read it; run chmod go= ${path}`)
}

const losing = 'hooks record nothing, and other records are lost unless they are sent at once'

/** Why nothing can be kept on this machine: its folder cannot be written, or its file not read. Undefined if it can. */
export function stateFault(env: Env): string | undefined {
  const folder = folders.state(env)
  const fault = writeFault(folder)
  if (fault !== undefined) return `${fault}: ${losing}`
  try {
    unsentOf(env)
    heardAgents(env)
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException
    if (isDiskFull(error as Error, folder)) {
      return `The disk of ${folder} is full: ${losing}. Free some space there; what is stored stays, and recording continues.`
    }
    if (code !== 'ERR_SQLITE_ERROR') return `${message}: ${losing}`
    return `${stateFile(env)} cannot be read (${message}): ${losing}. Move it and the files beside it away; the next record creates a new one.`
  }
}

/** What is known of the folder in which this machine keeps what is not sent yet. */
export function stateFinding(fault: string | undefined, env: Env): Finding {
  return fault === undefined ? privacy('state', folders.state(env)) : found('state', 'fail', fault)
}

/**
 * Why no file can be written to that folder, which may not exist yet: the folder in the way, and what is wrong with it.
 * Undefined if one can.
 */
export function writeFault(path: string): string | undefined {
  let nearest = path
  while (!existsSync(nearest) && nearest !== dirname(nearest)) nearest = dirname(nearest)
  try {
    if (!statSync(nearest).isDirectory()) return `${nearest} is not a folder`
    accessSync(nearest, constants.W_OK | constants.X_OK)
  } catch (error) {
    return `${nearest} cannot be written (${(error as NodeJS.ErrnoException).code})`
  }
}

/** How long git may take here, in milliseconds. A hook gives it less. */
const gitMs = 3_000

const missing = 'runs here have no commits, no changes, and no files that commands wrote'

/** Whether git shows the working tree of this folder. No finding outside git. */
export function gitFindings(cwd: string): Finding[] {
  const repository = repositoryAt(cwd)
  if (!repository) return []
  const fault = gitFault(cwd, gitMs)
  if (fault === undefined) return [found('git', 'ok', repository.root)]
  return [found('git', 'warn', `git cannot read the working tree here (${fault}): ${missing}`)]
}
