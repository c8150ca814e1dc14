import { constants } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fieldsIn, type JsonFields, timeOf } from './fields.ts'

/** The limits on reading for one answer, over all files. */
export interface ReadBudget {
  bytes: number
  /** In the time of `performance.now()`. */
  until: number
  /**
   * What was written later is not read, in milliseconds since 1970. A line without a time was written when the line
   * before it was; if none before it has a time, it is not read.
   */
  before?: number | undefined
  /** Whether to read the contents of the files that tools wrote, too. */
  contents?: true
}

export const budget = (bytes = 268_435_456, ms = 10_000): ReadBudget => ({ bytes, until: performance.now() + ms })

/** The error of a file or folder that has more than can be read for one answer. */
export class TooLarge extends Error {}

const chunkBytes = 1_048_576
/** Longer lines are skipped. */
const lineBytes = 16_777_216

/**
 * The JSON objects that contain one of these words, from a file with one object per line, in their order. Skips lines
 * that are unfinished or no JSON. Throws if the path is not a regular file, and if the budget is spent.
 */
export async function* linesWith(path: string, words: string | string[], left = budget()): AsyncGenerator<JsonFields> {
  for await (const { fields } of numberedWith(path, [words].flat(), () => {}, left)) yield fields
}

/** Why a line is skipped. */
export type LineFault = 'it is longer than 16 MiB' | 'it is not a JSON object'

/**
 * The JSON objects of such a file, each with its line number. Calls `pass` for each skipped line, except for an
 * unfinished one at the end. Throws like `linesWith`.
 */
export async function* numberedWith(
  path: string,
  words: readonly string[],
  pass: (line: number, fault: LineFault) => void,
  left = budget(),
): AsyncGenerator<{ line: number; fields: JsonFields }> {
  let line = 0
  let at: number | undefined
  for await (const { bytes, isOpen } of linesOf(path, left)) {
    line += 1
    if (bytes === undefined) pass(line, 'it is longer than 16 MiB')
    else if (bytes.length > 0 && !looksWhole(bytes)) {
      if (!isOpen) pass(line, 'it is not a JSON object')
    } else if (words.some((word) => bytes.includes(word))) {
      const fields = fieldsIn(bytes.toString())
      at = timeOf(fields?.timestamp) ?? at
      if (left.before !== undefined && at !== undefined && at > left.before) return
      const isTimely = left.before === undefined || at !== undefined
      if (fields && isTimely) yield { line, fields }
      else if (!fields && !isOpen) pass(line, 'it is not a JSON object')
    }
  }
}

const [opening, closing, carriageReturn] = [123, 125, 13]

function looksWhole(bytes: Buffer): boolean {
  const last = bytes.at(-1) === carriageReturn ? bytes.at(-2) : bytes.at(-1)
  return bytes[0] === opening && last === closing
}

/** A line; without bytes if it is too long. `isOpen` means that no line break follows it. */
interface TranscriptLine {
  bytes: Buffer | undefined
  isOpen?: true
}

async function* linesOf(path: string, left: ReadBudget): AsyncGenerator<TranscriptLine> {
  let rest: Buffer[] = []
  let length = 0
  const lineOf = (bytes: Buffer[]) => ({ bytes: length > lineBytes ? undefined : Buffer.concat(bytes) })
  for await (const chunk of chunksOf(path, left)) {
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      length += end - from
      yield lineOf([...rest, chunk.subarray(from, end)])
      rest = []
      length = 0
      from = end + 1
    }
    length += chunk.length - from
    rest = length > lineBytes ? [] : [...rest, chunk.subarray(from)]
  }
  yield { ...lineOf(rest), isOpen: true }
}

async function* chunksOf(path: string, left: ReadBudget): AsyncGenerator<Buffer> {
  // Opening a pipe without a writer would block forever.
  await using handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  if (!(await handle.stat()).isFile()) throw new Error(`${path} is not a regular file`)
  for (let isFirst = true; ; isFirst = false) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes)
    if (bytesRead === 0) return
    left.bytes -= bytesRead
    // Time runs out on a busy machine, too, and a small file is read even then.
    if (left.bytes < 0 || (!isFirst && performance.now() > left.until))
      throw new TooLarge(`${path} is too large to be read`)
    yield buffer.subarray(0, bytesRead)
  }
}

/**
 * The fields of a file that is one JSON object; undefined if it is not one, is longer than 16 MiB, or was written after
 * `left.before`. Throws if it cannot be read.
 */
export async function jsonIn(path: string, left = budget()): Promise<JsonFields | undefined> {
  if (left.before !== undefined && (await stat(path)).mtimeMs > left.before) return undefined
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of chunksOf(path, left)) {
    length += chunk.length
    if (length > lineBytes) return undefined
    chunks.push(chunk)
  }
  return fieldsIn(Buffer.concat(chunks).toString())
}

/** The files of a folder with that suffix; empty if there is no such folder. Throws if there are too many. */
export async function filesIn(folder: string, ending: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => [])
  const found = names.filter((name) => name.endsWith(ending))
  if (found.length > 1_000) throw new TooLarge(`${folder} has ${found.length} files, too many to be read`)
  return found.map((name) => join(folder, name))
}
