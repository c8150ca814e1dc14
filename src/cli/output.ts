import { markerOf, squeeze } from '../content.ts'
import type { Stream } from './child.ts'
import { mask } from './mask.ts'

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
/** The most bytes that wait here; of more, the newest stay. */
const mostBytes = 1_048_576
/** The most of a line without end, or of a private key, that is waited for. */
const heldLength = 65_536
const keyLength = 16_384

/**
 * Gathers what a command writes into batches of whole lines, masked, so that no secret lies across a border: a private key
 * is held until its end, and a line without end is cut where nothing secret is.
 */
export function createOutput({ isFull, put }: OutputOptions): Output {
  const decoders = { stdout: decoder(), stderr: decoder() }
  const begun = { stdout: '', stderr: '' }
  let whole = ''
  let dropped = 0
  let timer: NodeJS.Timeout | undefined
  let flushing = Promise.resolve()

  function write(stream: Stream, chunk: Uint8Array) {
    take(stream, begun[stream] + textOf(decoders[stream], chunk))
    if (whole.length >= batchLength || begun[stream].length >= heldLength) soon(0)
    else soon(everyMs)
  }

  function take(stream: Stream, text: string) {
    const at = wholeUntil(text)
    whole = bounded(whole + text.slice(0, at))
    begun[stream] = bounded(text.slice(at))
  }

  function bounded(text: string): string {
    if (text.length < mostBytes / 4 || Buffer.byteLength(text) <= mostBytes) return text
    const { newest } = squeeze('', text, mostBytes)
    const kept = newest.slice(newest.indexOf('\n') + 1)
    dropped += Buffer.byteLength(text) - Buffer.byteLength(kept)
    return kept
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
      if (!isFull()) await putWhole()
    } finally {
      if (whole !== '') soon(everyMs)
    }
  }

  async function cutLine(stream: Stream) {
    const at = await seamOf(begun[stream])
    whole = bounded(whole + begun[stream].slice(0, at))
    begun[stream] = begun[stream].slice(at)
  }

  async function putWhole() {
    const gap = dropped
    const text = whole
    whole = ''
    dropped = 0
    try {
      if (text !== '' || gap > 0) put((gap > 0 ? markerOf(gap) : '') + (await mask(text)))
    } catch (error) {
      whole = bounded(text + whole)
      dropped += gap
      throw error
    }
  }

  async function end() {
    clearTimeout(timer)
    await flushing
    for (const stream of streams) {
      whole += begun[stream] + textOf(decoders[stream])
      begun[stream] = ''
    }
    whole = bounded(whole)
    await putWhole()
  }

  return { write, end }
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
