import { mask } from '../../mask/mask.ts'
import { type Gap, gapOf, joined } from '../../text/content.ts'
import type { Backlog } from './backlog.ts'

/** How many characters of an unfinished line or private key to wait for. */
const heldLength = 65_536
const keyLength = 16_384

/** What a stream has written since its last complete line. */
export interface Line {
  /** Whether it is long enough to be cut before it ends. */
  isLong(): boolean
  write(chunk: Uint8Array): void
  /** Adds the beginning of a long line to the backlog. */
  cut(): Promise<void>
  /** Adds the rest to the backlog. */
  end(): void
}

/**
 * Collects the output of a stream, and adds it to the backlog line by line. Only the newest part of a line longer than
 * `mostLength` stays. A chunk takes the same time however long its line is.
 */
export function createLine(backlog: Backlog, mostLength: number): Line {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  // The beginning of a long line, and the rest, where a private key may have begun.
  let settled = ''
  let open = ''
  /** What was dropped before them. */
  let lost: Gap = { bytes: 0, lines: 0 }

  /** Adds the beginning of a text to the backlog. The rest becomes the line. */
  function release(text: string, at: number) {
    backlog.add(text.slice(0, at), lost)
    lost = { bytes: 0, lines: 0 }
    settled = ''
    open = text.slice(at)
  }

  function settle() {
    settled += open.slice(0, -keyLength)
    open = open.slice(-keyLength)
    const { newest, gap } = newestOf(settled, mostLength)
    settled = newest
    lost = joined(lost, gap)
  }

  return {
    isLong: () => settled.length + open.length >= heldLength,
    write(chunk) {
      open += textOf(decoder, chunk)
      const at = wholeUntil(open)
      if (at > 0) release(settled + open, settled.length + at)
      if (open.length > 2 * keyLength) settle()
    },
    async cut() {
      const text = settled + open
      const at = await seamOf(text)
      const line = settled + open
      // The line may have grown or ended meanwhile.
      if (line.startsWith(text)) release(line, at)
    },
    end() {
      const rest = settled + open + textOf(decoder)
      release(rest, rest.length)
    },
  }
}

/**
 * The newest lines of a text longer than `most` characters, and what came before them. An eighth stays free, so that
 * not every line cuts again.
 */
export function newestOf(text: string, most: number): { newest: string; gap: Gap } {
  if (text.length <= most) return { newest: text, gap: { bytes: 0, lines: 0 } }
  const from = text.length - most + (most >> 3)
  // Without a line break nearby, cuts at a character boundary.
  const line = text.indexOf('\n', from) + 1
  const at = line > 0 && line < text.length ? line : text.charCodeAt(from) >> 10 === 0x37 ? from + 1 : from
  return { newest: text.slice(at), gap: gapOf(text.slice(0, at)) }
}

/** The text of a chunk, or of the rest at the end. The ledger cannot store NUL. */
const textOf = (decoder: TextDecoder, chunk?: Uint8Array) =>
  decoder.decode(chunk, { stream: chunk !== undefined }).replaceAll('\0', '\uFFFD')

/** The position up to which a text has complete lines and no part of an unfinished private key. */
function wholeUntil(text: string): number {
  const end = Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r')) + 1
  const begin = text.lastIndexOf('-----BEGIN ')
  if (begin < 0 || text.length - begin > keyLength || text.includes('-----END ', begin)) return end
  return /^-----BEGIN (?:[A-Z]+ )*PRIVATE KEY/.test(text.slice(begin, begin + 60))
    ? Math.min(end, text.lastIndexOf('\n', begin) + 1)
    : end
}

/** Where an unfinished line can be cut without cutting a secret. */
async function seamOf(text: string): Promise<number> {
  const masked = await mask(text)
  for (let at = text.length - 1024; at > text.length - heldLength / 2; at -= 1500) {
    if ((await mask(text.slice(0, at))) + (await mask(text.slice(at))) === masked) return at
  }
  return text.length
}
