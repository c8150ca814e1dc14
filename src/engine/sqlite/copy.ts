import { spawn } from 'node:child_process'
import { setPriority } from 'node:os'
import { dirname } from 'node:path'
import { ConductError } from '../../contract/error.ts'
import { copyAndVerify } from './copying.ts'

/** The contents of a verified copy of a ledger. */
export interface Copied {
  bytes: number
  events: number
  /** The newest event; 0 and null if there are no events. */
  newestSeq: number
  newestAt: string | null
  runs: number
  schemaVersion: number
}

export type CopyStep = { step: 'copy'; pages: number; of: number } | { step: 'verify' }

export interface CopyOptions {
  onStep?: ((step: CopyStep) => void) | undefined
  /** Stops the copy immediately. */
  signal?: AbortSignal | undefined
}

type Fault = { fault: 'foreign' | 'damaged' | 'sqlite'; words: string; errcode: number }
type Message = CopyStep | { step: 'done'; copied: Copied } | ({ step: 'fault' } & Fault)

/** Low, so that requests come first. */
const priority = 10

/**
 * Copies the current state of the ledger at `from` into the empty file at `to`, while others write to the ledger. Then
 * verifies the copy: SQLite finds no damage, and each table has as many rows as the source. Both run in a separate
 * process, which keeps the event loop free and can be killed at any moment. Throws INSUFFICIENT_STORAGE, UNAVAILABLE,
 * and VALIDATION_ERROR for a file that is damaged or not a ledger.
 */
export function copyLedger(from: string, to: string, { onStep, signal }: CopyOptions = {}): Promise<Copied> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--no-warnings', '-e', `(${copyAndVerify})()`, from, to], {
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      killSignal: 'SIGKILL',
      ...(signal && { signal }),
    })
    lower(child.pid)
    let stderr = ''
    let end = (code: string) => reject(interrupted(from, code, stderr))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-1000)
    })
    child.on('message', (message: Message) => {
      if (message.step === 'done') end = () => resolve(message.copied)
      else if (message.step === 'fault') end = () => reject(errorOf(message, from, to))
      else onStep?.(message)
    })
    child.on('error', ({ message }) => {
      end = () => reject(interrupted(from, message, ''))
      // It never started, so it will not exit.
      if (child.pid === undefined) end('')
    })
    child.on('close', (code, ended) => end(String(code ?? ended)))
  })
}

function lower(pid: number | undefined) {
  try {
    if (pid !== undefined) setPriority(pid, priority)
  } catch {
    // It has already exited, or the system has no priorities.
  }
}

const interrupted = (from: string, end: string, stderr: string) =>
  new ConductError('UNAVAILABLE', `The copy of ${from} was interrupted (${end}) and deleted. ${stderr}`.trim())

/** SQLite's result codes (sqlite.org/rescode.html). */
const busy = [5, 6]
const full = 13
const damaged = [11, 26]

function errorOf({ fault, words, errcode }: Fault, from: string, to: string): ConductError {
  const code = errcode & 0xff
  if (code === full)
    return new ConductError('INSUFFICIENT_STORAGE', `The disk of ${dirname(to)} is full: the copy was deleted.`)
  if (fault === 'foreign') return new ConductError('VALIDATION_ERROR', `${from} is not a Conduct ledger: ${words}.`)
  if (fault === 'damaged' || damaged.includes(code))
    return new ConductError('VALIDATION_ERROR', `${from} is damaged: ${words}`)
  if (busy.includes(code))
    return new ConductError('UNAVAILABLE', `${from} is locked by another process: ${words}. Try again.`)
  return new ConductError('UNAVAILABLE', `${from} could not be copied: ${words}.`)
}
