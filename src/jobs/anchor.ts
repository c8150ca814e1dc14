import { spawn } from 'node:child_process'
import { open } from 'node:fs/promises'

export interface AnchorOptions {
  anchorFile?: string | undefined
  anchorCommand?: string | undefined
}

/** Stores a checkpoint outside the ledger. Throws an Error that says why it cannot. */
export type Anchor = (checkpoint: { size: number; note: string }) => Promise<void>

/** A command that takes longer is killed. */
const commandMs = 30_000

/** The configured anchors. Each gets a checkpoint again until it has accepted it. */
export function anchorsOf({ anchorFile, anchorCommand }: AnchorOptions): Anchor[] {
  return [
    ...(anchorFile === undefined ? [] : [onceEach((note) => append(anchorFile, note))]),
    ...(anchorCommand === undefined ? [] : [onceEach((note) => run(anchorCommand, note))]),
  ]
}

function onceEach(put: (note: string) => Promise<void>): Anchor {
  let newest = 0
  return async ({ size, note }) => {
    if (size === newest) return
    await put(note)
    newest = size
  }
}

/** Appends a note and an empty line, and flushes them to disk. */
async function append(path: string, note: string): Promise<void> {
  try {
    const file = await open(path, 'a')
    try {
      await file.appendFile(`${note}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw new Error(`The checkpoint was not appended to ${path}: ${(cause as Error).message}.`, { cause })
  }
}

function run(command: string, note: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (words: string) => reject(new Error(`The anchor command '${command}' ${words}.`))
    const child = spawn(command, { shell: true, stdio: ['pipe', 'ignore', 'ignore'], timeout: commandMs })
    child.on('error', ({ message }) => fail(`did not start: ${message}`))
    child.on('close', (code, signal) => (code === 0 ? resolve() : fail(`ended with ${code ?? signal}`)))
    // A command that does not read closes the pipe. Its exit code tells whether it worked.
    child.stdin.on('error', () => {})
    child.stdin.end(note)
  })
}
