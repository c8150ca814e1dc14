import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  opendirSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync,
} from 'node:fs'
import { fieldsOf, type JsonFields } from '../recorder/agents/fields.ts'
import { pathIn } from '../system/paths.ts'

// A folder may come from anybody: a clone or an archive brings links, pipes and files of any size. Everything that
// Conduct reads in such a folder by itself goes through here.

/** The most bytes that Conduct reads of one file of such a folder. */
export const mostBytes = 1_048_576

interface ForeignOptions {
  /** The folder that the file must not leave through links. By default it may be anywhere. */
  within?: string | undefined
  /** The most bytes that the file may have. */
  most?: number
}

/**
 * The text of a file; undefined if there is none. Throws an Error that names the file if it is not a regular one, is too
 * large, or leads out of the folder. Never waits for a writer, as opening a pipe would.
 */
export function foreignText(path: string, options: ForeignOptions = {}): string | undefined {
  const file = opened(path, options)
  if (file === undefined) return undefined
  try {
    const { most = mostBytes } = options
    // Some regular files have more bytes than they say, for example those of /proc.
    const bytes = readUpTo(file, 0, most + 1)
    if (bytes.length > most) throw tooLarge(path, most)
    return bytes.toString('utf8')
  } finally {
    closeSync(file)
  }
}

/** Some bytes of a file that may be larger, as text; empty if there is no such file. Throws as `foreignText` does. */
export function foreignPart(path: string, from: number, length: number): string {
  const file = opened(path, { most: Number.POSITIVE_INFINITY })
  if (file === undefined) return ''
  try {
    return readUpTo(file, Math.max(0, from), Math.max(0, Math.min(length, mostBytes))).toString('utf8')
  } finally {
    closeSync(file)
  }
}

/** The last bytes of a file, as text; undefined if there is no such file. Throws as `foreignText` does. */
export function foreignEnd(path: string, length: number): string | undefined {
  const size = foreignSize(path)
  return size === undefined ? undefined : foreignPart(path, size - length, length)
}

/**
 * The size in bytes of a file that another program will read; undefined if there is none. Throws an Error that names the
 * file if it is not a regular one, or has more than `most` bytes.
 */
export function foreignSize(path: string, most = Number.POSITIVE_INFINITY): number | undefined {
  const real = realPath(path)
  if (real === undefined) return undefined
  const stat = lstatSync(real)
  if (!stat.isFile()) throw new Error(`${path} is not a regular file`)
  if (stat.size > most) throw tooLarge(path, most)
  return stat.size
}

/** The names in a folder, at most so many; none if it cannot be read. */
export function foreignNames(path: string, most: number): string[] {
  try {
    const folder = opendirSync(path)
    try {
      const names: string[] = []
      for (let entry = folder.readSync(); entry && names.length < most; entry = folder.readSync())
        names.push(entry.name)
      return names
    } finally {
      folder.closeSync()
    }
  } catch {
    return []
  }
}

/** The target of a symbolic link; undefined if the path is not a link. */
export function foreignLink(path: string): string | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(path) : undefined
}

function opened(path: string, { within, most = mostBytes }: ForeignOptions): number | undefined {
  const real = realPath(path)
  if (real === undefined) return undefined
  if (within !== undefined && pathIn(realpathSync(within), real) === undefined) {
    throw new Error(`${path} leads through a link out of ${within}`)
  }
  // Opening a device may already have an effect.
  if (!lstatSync(real).isFile()) throw new Error(`${path} is not a regular file`)
  // Windows has neither flag.
  const { O_RDONLY, O_NONBLOCK = 0, O_NOFOLLOW = 0 } = constants
  const file = openSync(real, O_RDONLY | O_NONBLOCK | O_NOFOLLOW)
  try {
    const stat = fstatSync(file)
    if (!stat.isFile()) throw new Error(`${path} is not a regular file`)
    if (stat.size > most) throw tooLarge(path, most)
    return file
  } catch (error) {
    closeSync(file)
    throw error
  }
}

/** The path without links; undefined if there is nothing at it. Opens nothing. */
function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new Error(code === 'ELOOP' ? `${path} is a link that leads to itself` : message)
  }
}

function readUpTo(file: number, from: number, length: number): Buffer {
  const pieces: Buffer[] = []
  let at = from
  for (let left = length; left > 0; ) {
    const piece = Buffer.allocUnsafe(Math.min(left, 65_536))
    const count = readSync(file, piece, 0, piece.length, at)
    if (count === 0) break
    pieces.push(piece.subarray(0, count))
    at += count
    left -= count
  }
  return Buffer.concat(pieces)
}

const tooLarge = (path: string, most: number) => new Error(`${path} is larger than ${most.toLocaleString('en')} bytes`)

/** The value of a JSON text. Throws an Error that says where the text is wrong, and not what it is. */
export function jsonIn(text: string): unknown {
  try {
    // Some editors of Windows begin a file with a byte order mark, which RFC 8259 lets a reader ignore.
    return JSON.parse(text.replace(/^\ufeff/, ''))
  } catch (error) {
    const [, where = ''] = /(\(line \d+ column \d+\))/.exec((error as Error).message) ?? []
    throw new Error(`it is not JSON ${where}`.trimEnd())
  }
}

/** The fields of a value in a file. Throws an Error that names it unless it is an object. */
export function objectOf(value: unknown, name: string): JsonFields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${name} must be an object`)
  return fieldsOf(value)
}
