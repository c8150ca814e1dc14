import { mask } from '../../mask/mask.ts'
import { type Gap, gapOf, joined, markerOf } from '../../text/content.ts'

/** How many characters of an unfinished line or private key to wait for. */
const heldLength = 65_536
const keyLength = 16_384

/** What a stream has written since its last complete line. */
interface OpenLine {
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
export function createLine(backlog: Backlog, mostLength: number): OpenLine {
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

/** The end of a growing text. */
interface Tail {
  /** Adds text, before which there may be a gap. */
  put(text: string, gap?: Gap): void
  /** The text, after a line that says how much was dropped before it, if any. */
  text(): string
}

/** Keeps the newest `most` characters after the last gap. */
export function createTail(most: number): Tail {
  let newest = ''
  let dropped: Gap = { bytes: 0, lines: 0 }
  return {
    put(text, gap) {
      if (gap) {
        dropped = joined(joined(dropped, gapOf(newest)), gap)
        newest = ''
      }
      const kept = newestOf(newest + text, most)
      newest = kept.newest
      dropped = joined(dropped, kept.gap)
    },
    text: () => (dropped.bytes > 0 ? markerOf(dropped).trimStart() : '') + newest,
  }
}

/** Text waiting to be sent, in parts. If there is too much, the newest stays. */
interface Backlog {
  /** The number of waiting characters. */
  length(): number
  /** Adds text. `before` was dropped before it could be added. */
  add(text: string, before?: Gap): void
  /** Passes on the oldest part and what was dropped before it, if anything. Keeps it if `put` throws. */
  putOldest(put: (part: string, gap: Gap | undefined) => Promise<void>): Promise<void>
}

interface Part {
  text: string
  /** What was dropped before it. */
  gap: Gap
}

const none: Gap = { bytes: 0, lines: 0 }

/**
 * A backlog in parts of about `partLength` characters. Once the oldest part leaves, all others follow it, and at most
 * `mostLength` characters wait behind them. So after each gap comes about as much text without one.
 */
export function createBacklog(mostLength: number, partLength: number): Backlog {
  let leaving: Part[] = []
  let waiting: Part[] = []
  let waitingLength = 0
  let leavingLength = 0

  function dropOldest() {
    const { text, gap } = waiting.shift() as Part
    const [next] = waiting as [Part]
    waitingLength -= text.length
    next.gap = joined(joined(gap, gapOf(text)), next.gap)
  }

  function leave() {
    leaving = waiting
    leavingLength = waitingLength
    waiting = []
    waitingLength = 0
  }

  return {
    length: () => leavingLength + waitingLength,
    add(text, before = none) {
      const last = waiting.at(-1)
      if (last && before.bytes === 0 && last.text.length < partLength) last.text += text
      else if (text !== '' || before.bytes > 0) waiting.push({ text, gap: before })
      waitingLength += text.length
      while (waitingLength > mostLength && waiting.length > 1) dropOldest()
    },
    async putOldest(put) {
      if (leaving.length === 0) leave()
      const part = leaving.shift()
      if (!part) return
      leavingLength -= part.text.length
      try {
        await put(part.text, part.gap.bytes > 0 ? part.gap : undefined)
      } catch (error) {
        leaving.unshift(part)
        leavingLength += part.text.length
        throw error
      }
    },
  }
}
