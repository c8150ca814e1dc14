import { spawn } from 'node:child_process'
import { type FileHandle, open } from 'node:fs/promises'
import type { Db } from '../../engine/db.ts'
import type { Send } from '../../frame/ctx.ts'
import { readNewest, signTree } from '../../log/seal/checkpoint.ts'
import { sealNext } from '../../log/seal/seal.ts'
import type { Checkpoint } from '../../log/seal/signed-note.ts'
import { checkpointMessageIdOf, signedHeaders } from '../../nouns/webhook/rules.ts'
import type { Job } from './scheduler.ts'

/** How long a stopping server continues to seal, in milliseconds. */
const sealedAtStopMs = 300

/** Seals the log once a minute if it has grown, and when the server stops. Passes each checkpoint to the anchors. */
export function sealJob(db: Db, now: () => string, anchors: Anchor[]): Job {
  async function finish(): Promise<void> {
    await signTree(db, now())
    if (anchors.length === 0) return
    const newest = await readNewest(db)
    if (newest) await giveToAll(anchors, newest)
  }

  return {
    name: 'seal',
    everyMs: 60_000,
    isExclusive: true,
    async step() {
      if (await sealNext(db)) return true
      await finish()
      return false
    },
    async stop() {
      const end = performance.now() + sealedAtStopMs
      while (await sealNext(db)) if (performance.now() > end) return
      await finish()
    },
  }
}

export interface AnchorOptions {
  /** A file to which the server appends each checkpoint of the log. */
  anchorFile?: string | undefined
  /** A shell command to whose standard input the server writes each checkpoint. */
  anchorCommand?: string | undefined
  /** A URL to which the server posts each checkpoint, and the secret that signs the messages. */
  anchorWebhook?: string | undefined
  anchorWebhookSecret?: string | undefined
}

/** Stores a checkpoint outside the database. Throws an Error that says what went wrong. */
type Anchor = (checkpoint: Checkpoint) => Promise<void>

/** How long the command may run, in milliseconds, before the server kills it. */
const commandMs = 30_000

/** Returns one anchor for each place that the settings name. An anchor that fails gets the same checkpoint again. */
export function anchorsOf(options: AnchorOptions, send: Send, now: () => string): Anchor[] {
  const { anchorFile, anchorCommand, anchorWebhook, anchorWebhookSecret } = options
  const anchors: Anchor[] = []
  if (anchorFile !== undefined) anchors.push(({ note }) => append(anchorFile, note))
  if (anchorCommand !== undefined) anchors.push(({ note }) => run(anchorCommand, note))
  if (anchorWebhook !== undefined && anchorWebhookSecret !== undefined) {
    const sign = (id: string, body: string) => signedHeaders(id, now(), body, [anchorWebhookSecret])
    anchors.push((checkpoint) => post(checkpoint, anchorWebhook, sign, send))
  }
  return anchors.map(onceEach)
}

function onceEach(put: Anchor): Anchor {
  let newest = 0
  return async (checkpoint) => {
    if (checkpoint.size === newest) return
    await put(checkpoint)
    newest = checkpoint.size
  }
}

/** Gives a checkpoint to every anchor, even when one fails. Throws an Error with the messages of those that failed. */
async function giveToAll(anchors: readonly Anchor[], checkpoint: Checkpoint): Promise<void> {
  const outcomes = await Promise.allSettled(anchors.map((anchor) => anchor(checkpoint)))
  const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Error] : []))
  if (failures.length === 0) return
  throw new AggregateError(failures, failures.map(({ message }) => message).join(' '))
}

/** Appends a note to a file, and syncs it to disk. */
async function append(path: string, note: string): Promise<void> {
  try {
    await using file = await open(path, 'a')
    await appendWhole(file, note)
  } catch (cause) {
    throw new Error(`The checkpoint was not appended to ${path}: ${(cause as Error).message}.`, { cause })
  }
}

/** Begins a new line, whatever the file ends with. If the append fails, removes the part that was written. */
async function appendWhole(file: FileHandle, note: string): Promise<void> {
  const { size } = await file.stat()
  const text = Buffer.from(size === 0 ? note : `\n${note}`)
  try {
    await file.appendFile(text)
    await file.sync()
  } catch (error) {
    await removePart(file, size, text.length).catch(() => {})
    throw error
  }
}

/** Removes what was appended at `size`, unless it is the whole of `length` bytes, or another process appended, too. */
async function removePart(file: FileHandle, size: number, length: number): Promise<void> {
  const { size: now } = await file.stat()
  if (now > size && now < size + length) await file.truncate(size)
}

function run(command: string, note: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (words: string) => reject(new Error(`The anchor command '${command}' ${words}.`))
    const child = spawn(command, { shell: true, stdio: ['pipe', 'ignore', 'ignore'], timeout: commandMs })
    child.on('error', ({ message }) => fail(`did not start: ${message}`))
    child.on('close', (code, signal) => (code === 0 ? resolve() : fail(`ended with ${code ?? signal}`)))
    // A command that does not read its input closes the pipe. Only its exit code says whether it succeeded.
    child.stdin.on('error', () => {})
    child.stdin.end(note)
  })
}

const asSentence = (words: string) => (words.endsWith('.') ? words : `${words}.`)

/** Posts a checkpoint under the rules of webhooks: the same allowed addresses, the same form of signature. */
async function post(
  { origin, size, note }: Checkpoint,
  url: string,
  sign: (id: string, body: string) => Record<string, string>,
  send: Send,
): Promise<void> {
  const body = JSON.stringify({ type: 'checkpoint', data: { origin, size, note } })
  const headers = sign(checkpointMessageIdOf(origin, size), body)
  const { error } = await send({ url, headers, body })
  // The message names only the host: the rest of the address may hold a secret.
  if (error !== undefined) throw new Error(`The anchor webhook at ${new URL(url).host} failed: ${asSentence(error)}`)
}
