import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { Readable, Writable } from 'node:stream'
import { isInForeground } from '../../system/foreground.ts'
import { leave, openPipes } from '../../system/pipes.ts'
import { startOf } from '../../system/programs.ts'
import { endSignals, keySignals, passOn } from '../../system/signals.ts'

export type Stream = 'stdout' | 'stderr'

interface ChildOptions {
  env: NodeJS.ProcessEnv
  /** Receives the child's output, which is passed on unchanged. Without it, the child inherits our own streams. */
  onOutput?: ((stream: Stream, chunk: Buffer) => Taken) | undefined
}

/** Unless undefined, no more output is read until it settles. */
type Taken = Promise<void> | undefined

/** The result of a command. */
export interface ChildResult {
  /** As in a shell: 128 plus the number of the signal that ended it, 127 if there is no such command. */
  exitCode: number
  signal: NodeJS.Signals | null
  durationMs: number
  /** Why it could not be started. */
  fault?: string
}

/** How long to wait for output of processes that the child left behind, in milliseconds. */
const graceMs = 1000

/** Runs a command with our stdin, and forwards the signals that end us. */
export async function runChild(words: string[], { env, onOutput }: ChildOptions): Promise<ChildResult> {
  const started = performance.now()
  const [command = ''] = words
  let child: ChildProcess | undefined
  forwardSignals(() => child)
  const pipes = onOutput && openPipes()
  const [out, err] = pipes?.map(({ writer }) => writer) ?? ['pipe' as const, 'pipe' as const]
  try {
    const { file, args, options } = startOf(words, env)
    child = spawn(file, args, { ...options, env, stdio: onOutput ? ['inherit', out, err] : 'inherit' })
  } catch (error) {
    // Node reports only some errors, such as ENOENT, by an event.
    return { ...faultOf(command, error as NodeJS.ErrnoException), signal: null, durationMs: 0 }
  } finally {
    if (pipes) leave(pipes)
  }
  const [stdout, stderr] = pipes?.map(({ reader }) => reader) ?? [child.stdout, child.stderr]
  if (onOutput) {
    pass(stdout, process.stdout, (chunk) => onOutput('stdout', chunk))
    pass(stderr, process.stderr, (chunk) => onOutput('stderr', chunk))
  }
  const streams = [stdout, stderr].filter((stream) => stream instanceof Readable)
  const { code, signal, error } = await endOf(child, streams)
  const durationMs = Math.round(performance.now() - started)
  if (error) return { ...faultOf(command, error), signal: null, durationMs }
  return { exitCode: code ?? 128 + constants.signals[signal as NodeJS.Signals], signal, durationMs }
}

/**
 * Forwards SIGINT, SIGQUIT, SIGTERM and SIGHUP to the child, from before it starts. This never ends, so that the signal
 * that ends the child does not lose what it left behind.
 */
function forwardSignals(child: () => ChildProcess | undefined) {
  const wasInForeground = isInForeground()
  for (const signal of endSignals) if (signal !== 'SIGINT') process.on(signal, () => passOn(signal, child()))
  for (const signal of keySignals) {
    process.on(signal, () => {
      // In the foreground, a key sent it, also to the child, which may take a second one as an order to end without
      // cleaning up. If the key ended our parent, we are no longer in the foreground.
      if (!wasInForeground && !isInForeground()) passOn(signal, child())
    })
  }
}

/**
 * Passes on the child's output, to us and to `to`, as fast as both accept it. When nobody reads any more, the child
 * learns it.
 */
function pass(from: Readable | null | undefined, to: Writable, take: (chunk: Buffer) => Taken) {
  if (!from) return
  from.pipe(sinkOf(take))
  from.pipe(to, { end: false })
  // Other commands may end with their reader; this one stays with its child.
  to.removeAllListeners('error').on('error', () => from.destroy())
}

/** A stream in which nothing waits, since it would be lost if the reading stops before the end. */
function sinkOf(take: (chunk: Buffer) => Taken): Writable {
  return new Writable({
    highWaterMark: 1,
    write: (chunk, _encoding, done) => void Promise.resolve(take(chunk)).then(() => done(), done),
  })
}

interface End {
  code: number | null
  signal: NodeJS.Signals | null
  error?: NodeJS.ErrnoException
}

/** Waits for the end of a child and of its output. */
function endOf(child: ChildProcess, streams: Readable[]): Promise<End> {
  const closed = Promise.all(streams.map((stream) => new Promise((resolve) => stream.on('close', resolve))))
  let isQuiet = true
  for (const stream of streams) {
    stream.on('data', () => {
      isQuiet = false
    })
  }
  return new Promise((resolve) => {
    child.on('error', (error) => child.pid === undefined && resolve({ code: null, signal: null, error }))
    child.on('exit', (code, signal) => {
      // The child's output may still be in transit if our reader is slow.
      const timer = setInterval(() => {
        if (isQuiet && !streams.some((stream) => stream.isPaused())) for (const stream of streams) stream.destroy()
        isQuiet = true
      }, graceMs)
      void closed.then(() => {
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
