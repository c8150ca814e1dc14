import { mask } from '../../mask/mask.ts'
import type { Backlog } from './backlog.ts'

/** The most of a line without end, or of a private key, that is waited for. */
const heldLength = 65_536
const keyLength = 16_384

/** What a stream has written since its last whole line. */
export interface Line {
  /** Whether it is so long that it is cut instead of waiting for its end. */
  isLong(): boolean
  write(chunk: Uint8Array): void
  /** Adds the beginning of a long line to the backlog. */
  cut(): Promise<void>
  /** Adds what is left to the backlog. */
  end(): void
}

/** Gathers what a stream writes, and adds it to the backlog line by line. Of a line longer than `mostLength`, the newest stays. */
export function createLine(backlog: Backlog, mostLength: number): Line {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let line = ''
  return {
    isLong: () => line.length >= heldLength,
    write(chunk) {
      const text = line + textOf(decoder, chunk)
      const at = wholeUntil(text)
      backlog.add(text.slice(0, at))
      const { newest, bytes } = newestOf(text.slice(at), mostLength)
      line = newest
      backlog.addDropped(bytes)
    },
    async cut() {
      const text = line
      const at = await seamOf(text)
      // More may have come meanwhile, also its end.
      if (!line.startsWith(text)) return
      backlog.add(text.slice(0, at))
      line = line.slice(at)
    },
    end() {
      backlog.add(line + textOf(decoder))
      line = ''
    },
  }
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
