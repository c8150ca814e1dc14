import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { constants } from 'node:os'
import type { Readable, Writable } from 'node:stream'

export type Stream = 'stdout' | 'stderr'

export interface ChildOptions {
  env: NodeJS.ProcessEnv
  /** Is given what the child writes, which is passed on unchanged; without it, the child has our own streams. */
  onOutput?: ((stream: Stream, chunk: Buffer) => void) | undefined
}

/** How a command ended. */
export interface Ended {
  /** As a shell tells it: 128 and the signal's number where a signal ended it, 127 where there is no such command. */
  exitCode: number
  signal: NodeJS.Signals | null
  durationMs: number
  /** Why it could not be started. */
  fault?: string
}

/** How long output is waited for that a process left behind by the child may still write, in milliseconds. */
const graceMs = 1000

/**
 * Runs a command with our stdin, and gives it the signals that end us: SIGINT, SIGQUIT, SIGTERM, SIGHUP. Those that a
 * terminal sends for a key reach it without us.
 */
export async function runChild(words: string[], { env, onOutput }: ChildOptions): Promise<Ended> {
  const started = performance.now()
  const [command = '', ...rest] = words
  const keys: NodeJS.Signals[] = hasTerminal() ? ['SIGINT', 'SIGQUIT'] : []
  let child: ChildProcess | undefined
  // Before there is a child, and for good: what it leaves behind is not lost by the signal that ended it.
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => void (keys.includes(signal) || child?.kill(signal)))
  }
  child = spawn(command, rest, { env, stdio: onOutput ? ['inherit', 'pipe', 'pipe'] : 'inherit' })
  if (onOutput) {
    pass(child.stdout, process.stdout, (chunk) => onOutput('stdout', chunk))
    pass(child.stderr, process.stderr, (chunk) => onOutput('stderr', chunk))
  }
  const { code, signal, error } = await endOf(child)
  const durationMs = Math.round(performance.now() - started)
  if (error) return { ...faultOf(command, error), signal: null, durationMs }
  return { exitCode: code ?? 128 + constants.signals[signal as NodeJS.Signals], signal, durationMs }
}

/** What the child writes, to us and to `to`, as fast as `to` takes it. Once nobody reads that any more, the child learns so. */
function pass(from: Readable | null, to: Writable, take: (chunk: Buffer) => void) {
  if (!from) return
  from.on('data', take)
  from.pipe(to, { end: false })
  // Other commands may end with their reader; this one sees its child to the end.
  to.removeAllListeners('error').on('error', () => from.destroy())
}

/** Whether we have a terminal, which sends what Ctrl-C means to all processes of its foreground. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return true
  } catch {
    return process.stdin.isTTY
  }
}

interface End {
  code: number | null
  signal: NodeJS.Signals | null
  error?: NodeJS.ErrnoException
}

function endOf(child: ChildProcess): Promise<End> {
  const streams = [child.stdout, child.stderr].filter((stream) => stream !== null)
  let isQuiet = true
  for (const stream of streams) {
    stream.on('data', () => {
      isQuiet = false
    })
  }
  return new Promise((resolve) => {
    child.on('error', (error) => child.pid === undefined && resolve({ code: null, signal: null, error }))
    child.on('exit', (code, signal) => {
      // What the child wrote may still be on its way, as slowly as our reader takes it.
      const timer = setInterval(() => {
        if (isQuiet && !streams.some((stream) => stream.isPaused())) for (const stream of streams) stream.destroy()
        isQuiet = true
      }, graceMs)
      child.on('close', () => {
        clearInterval(timer)
        resolve({ code, signal })
      })
    })
  })
}

function faultOf(command: string, { code, message }: NodeJS.ErrnoException): { exitCode: number; fault: string } {
  if (code === 'ENOENT') return { exitCode: 127, fault: `There is no command '${command}'.` }
  if (code === 'EACCES') return { exitCode: 126, fault: `'${command}' may not be executed.` }
  return { exitCode: 126, fault: `'${command}' cannot be started: ${message}.` }
}
