import { markerOf } from '../../ledger/content.ts'
import { mask } from '../../mask/mask.ts'
import type { Stream } from './child.ts'

export interface OutputOptions {
  /** Whether there is too much unsent for more to be put; what comes meanwhile is kept here, within a limit. */
  isFull(): boolean
  /** Takes masked text. Where it throws, the text is put again later. */
  put(text: string): void
}

/** What a command writes, on its way to the ledger. */
export interface Output {
  write(stream: Stream, chunk: Uint8Array): void
  /** Puts all that is left. Throws what `put` throws. */
  end(): Promise<void>
}

const streams = ['stdout', 'stderr'] as const

/** Text is put as often, in milliseconds, or as soon as there is so much. */
const everyMs = 500
const batchLength = 65_536
/** The most characters that wait here; of more, the newest stay. */
const mostLength = 1_048_576
/** The most of a line without end, or of a private key, that is waited for. */
const heldLength = 65_536
const keyLength = 16_384

/**
 * Gathers what a command writes into batches of whole lines, masked, so that no secret lies across a border: a private key
 * is held until its end, and a line without end is cut where nothing secret is.
 */
export function createOutput({ isFull, put }: OutputOptions): Output {
  const decoders = { stdout: decoder(), stderr: decoder() }
  /** Lines that are not whole yet. */
  const begun = { stdout: '', stderr: '' }
  /** Whole lines, in parts of about one batch. */
  const parts: string[] = []
  let length = 0
  let dropped = 0
  let timer: NodeJS.Timeout | undefined
  let flushing = Promise.resolve()

  function write(stream: Stream, chunk: Uint8Array) {
    const text = begun[stream] + textOf(decoders[stream], chunk)
    const at = wholeUntil(text)
    add(text.slice(0, at))
    const { newest, bytes } = newestOf(text.slice(at), mostLength)
    begun[stream] = newest
    dropped += bytes
    soon(length >= batchLength || newest.length >= heldLength ? 0 : everyMs)
  }

  function add(text: string) {
    const last = parts.length - 1
    const part = parts[last]
    if (part !== undefined && part.length < batchLength) parts[last] = part + text
    else if (text !== '') parts.push(text)
    length += text.length
    while (length > mostLength && parts.length > 1) {
      const oldest = parts.shift() as string
      length -= oldest.length
      dropped += Buffer.byteLength(oldest)
    }
  }

  let dueMs = Number.POSITIVE_INFINITY
  function soon(ms: number) {
    if (ms >= dueMs) return
    clearTimeout(timer)
    dueMs = ms
    timer = setTimeout(() => {
      dueMs = Number.POSITIVE_INFINITY
      // What failed is tried again.
      flushing = flushing.then(flush).catch(() => {})
    }, ms)
  }

  async function flush() {
    try {
      for (const stream of streams) {
        if (begun[stream].length >= heldLength) await cutLine(stream)
      }
      while (parts.length > 0 && !isFull()) await putOldest()
    } finally {
      if (parts.length > 0) soon(everyMs)
    }
  }

  async function cutLine(stream: Stream) {
    const text = begun[stream]
    const at = await seamOf(text)
    add(text.slice(0, at))
    // More may have come meanwhile.
    begun[stream] = begun[stream].slice(at)
  }

  async function putOldest() {
    const gap = dropped
    const text = parts.shift() ?? ''
    dropped = 0
    length -= text.length
    try {
      put((gap > 0 ? markerOf(gap) : '') + (await mask(text)))
    } catch (error) {
      parts.unshift(text)
      length += text.length
      dropped += gap
      throw error
    }
  }

  async function end() {
    clearTimeout(timer)
    await flushing
    for (const stream of streams) {
      add(begun[stream] + textOf(decoders[stream]))
      begun[stream] = ''
    }
    while (parts.length > 0) await putOldest()
  }

  return { write, end }
}

/**
 * The newest lines of a text that is longer than `most` characters, and how many bytes were before them. An eighth is left
 * free, so that it is not cut again with every line.
 */
export function newestOf(text: string, most: number): { newest: string; bytes: number } {
  if (text.length <= most) return { newest: text, bytes: 0 }
  const from = text.length - most + (most >> 3)
  // Without a line break soon, after a character that is no half of one.
  const line = text.indexOf('\n', from) + 1
  const at = line > 0 && line < text.length ? line : text.charCodeAt(from) >> 10 === 0x37 ? from + 1 : from
  return { newest: text.slice(at), bytes: Buffer.byteLength(text.slice(0, at)) }
}

const decoder = () => new TextDecoder('utf-8', { ignoreBOM: true })

/** The text of a chunk, or of what is left at the end. The ledger has no place for NUL. */
const textOf = (decoder: TextDecoder, chunk?: Uint8Array) =>
  decoder.decode(chunk, { stream: chunk !== undefined }).replaceAll('\0', '\uFFFD')

/** Up to where a text consists of whole lines, and holds no part of a private key whose end is still to come. */
function wholeUntil(text: string): number {
  const end = Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r')) + 1
  const begin = text.lastIndexOf('-----BEGIN ')
  if (begin < 0 || text.length - begin > keyLength || text.includes('-----END ', begin)) return end
  return /^-----BEGIN (?:[A-Z]+ )*PRIVATE KEY/.test(text.slice(begin, begin + 60))
    ? Math.min(end, text.lastIndexOf('\n', begin) + 1)
    : end
}

/** Where a line without end can be cut so that no secret is cut. */
async function seamOf(text: string): Promise<number> {
  const masked = await mask(text)
  for (let at = text.length - 1024; at > text.length - heldLength / 2; at -= 1500) {
    if ((await mask(text.slice(0, at))) + (await mask(text.slice(at))) === masked) return at
  }
  return text.length
}
