import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { here } from './system.ts'

/** A pipe from a child to us. */
interface Pipe {
  /** The descriptor to start the child with, and to close afterwards. */
  writer: number
  reader: Readable
}

/**
 * Two pipes as a shell makes them, for the output of a child. Node gives it sockets, which a program cannot open as
 * /dev/stdout or /dev/stderr. Undefined where there are no such pipes, as on Windows.
 */
export function openPipes(): [Pipe, Pipe] | undefined {
  if (here === 'windows') return undefined
  let folder: string | undefined
  try {
    folder = mkdtempSync(join(tmpdir(), 'conduct-'))
    const [out, error] = [join(folder, 'out'), join(folder, 'error')]
    // A relative folder of the PATH must not be one of the current folder.
    execFileSync('mkfifo', ['-m', '600', out, error], { stdio: 'ignore', cwd: '/' })
    return [openPipe(out), openPipe(error)]
  } catch {
    return undefined
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  }
}

function openPipe(path: string): Pipe {
  // Without O_NONBLOCK, it would wait for a writer.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  return { reader: new Socket({ fd, readable: true, writable: false }), writer: openSync(path, 'w') }
}

/** Leaves the pipes to the child, so that they end with it. */
export function leave(pipes: Pipe[]): void {
  for (const { writer } of pipes) closeSync(writer)
}
