import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { ConductError } from '../contract/error.ts'

/** The version of the line format. */
export const exportFormat = 1

/** The value of a column. */
export type Value = string | number | null | { base64: string }
export type ExportRow = Record<string, Value>

/** The first line: which ledger this is, and the schema version of its rows. */
export interface Header {
  format: number
  ledger: string
  schema: number
  /** Whether it contains secrets: hashes of keys, secrets of webhooks, and the key that signs checkpoints. */
  withKeys: boolean
}

/** The last line: the number of rows of each table, and the SHA-256 of all bytes before this line. */
export interface Trailer {
  rows: Record<string, number>
  sha256: string
}

interface RowContent {
  table: string
  row: ExportRow
  /** The hash of a content's text. */
  sha256?: string
}

type Content = { header: Header } | { trailer: Trailer } | RowContent

export interface ExportLine {
  number: number
  /** The CRC-32 of everything up to and including this line. */
  crc32: string
  content: Content
}

const endOf = (crc: number) => `,"crc32":"${crc.toString(16).padStart(8, '0')}"}`
const endBytes = endOf(0).length
const endForm = /^,"crc32":"([0-9a-f]{8})"\}$/

/** Writes the lines of an export. The CRC-32 of each line continues that of the line before. */
export class LineWriter {
  #crc = 0
  readonly #hash = createHash('sha256')
  readonly #rows: Record<string, number> = {}

  header(header: Header): string {
    return this.#line({ header })
  }

  row(content: RowContent): string {
    this.#rows[content.table] = (this.#rows[content.table] ?? 0) + 1
    return this.#line(content)
  }

  trailer(): string {
    return this.#line({ trailer: { rows: this.#rows, sha256: this.#hash.copy().digest('hex') } })
  }

  #line(content: Content): string {
    const body = JSON.stringify(content).slice(0, -1)
    this.#crc = crc32(body, this.#crc)
    const line = `${body}${endOf(this.#crc)}\n`
    this.#hash.update(line)
    return line
  }
}

const lineFeed = 10
/** Far longer than any line of an export. */
const mostBytes = 64 * 1_048_576
const groupRows = 1000
const groupBytes = 2 * 1_048_576

/**
 * Reads an export in groups of lines. Checks each line before returning it, and everything at the trailer. Throws
 * BAD_REQUEST with the number of the first wrong line.
 */
export async function* readExport(source: AsyncIterable<Uint8Array>): AsyncGenerator<ExportLine[]> {
  const checker = new LineChecker()
  let group: ExportLine[] = []
  let bytes = 0
  for await (const line of bytesOfLines(source)) {
    group.push(checker.check(line))
    bytes += line.length
    if (group.length < groupRows && bytes < groupBytes) continue
    yield group
    group = []
    bytes = 0
  }
  checker.end()
  yield group
}

/** Splits into lines without line feeds. Bytes after the last line feed are a line, too. */
async function* bytesOfLines(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let kept: Uint8Array[] = []
  let size = 0
  for await (const chunk of source) {
    let start = 0
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, start)) {
      const rest = chunk.subarray(start, end)
      yield kept.length > 0 ? Buffer.concat([...kept, rest]) : Buffer.from(rest.buffer, rest.byteOffset, rest.length)
      kept = []
      size = 0
      start = end + 1
    }
    // The source may reuse the chunk.
    if (start < chunk.length) kept.push(Uint8Array.from(chunk.subarray(start)))
    size += chunk.length - start
    if (size > mostBytes) throw new ConductError('BAD_REQUEST', 'This is not a Conduct export: it has no lines.')
  }
  if (size > 0) yield Buffer.concat(kept)
}

class LineChecker {
  #number = 0
  #crc = 0
  readonly #hash = createHash('sha256')
  readonly #rows: Record<string, number> = {}
  #isOver = false

  check(line: Buffer): ExportLine {
    this.#number++
    if (this.#isOver) throw this.#refusal('stands after the trailer, which is the last line of an export')
    const body = line.subarray(0, -endBytes)
    const [, crc = ''] = endForm.exec(line.subarray(-endBytes).toString('latin1')) ?? []
    this.#crc = crc32(body, this.#crc)
    if (crc !== endOf(this.#crc).slice(-10, -2)) throw this.#changed(crc)
    const content = this.#parsed(body)
    if (this.#number === 1) requireHeader(content)
    if ('trailer' in content) this.#compare(content.trailer)
    else this.#hash.update(line).update('\n')
    if ('table' in content) this.#count(content)
    return { number: this.#number, crc32: crc, content }
  }

  /** Called after the last line. */
  end(): void {
    if (this.#isOver) return
    throw new ConductError(
      'BAD_REQUEST',
      `The export ends after line ${this.#number} without a trailer, so it is truncated: export again.`,
    )
  }

  #parsed(body: Buffer): Content {
    try {
      const content = JSON.parse(`${body.toString()}}`)
      if ('header' in content || 'trailer' in content || 'table' in content) return content
    } catch {}
    throw this.#refusal('is not a line of an export')
  }

  #count({ table, row, sha256 }: RowContent): void {
    this.#rows[table] = (this.#rows[table] ?? 0) + 1
    if (sha256 !== undefined && sha256 !== textHash(String(row.text))) {
      throw this.#refusal('has a text whose SHA-256 is not the one that it states')
    }
  }

  #compare({ rows, sha256 }: Trailer): void {
    this.#isOver = true
    if (sha256 !== this.#hash.digest('hex')) throw this.#refusal('has the SHA-256 of another export')
    for (const table of new Set([...Object.keys(rows), ...Object.keys(this.#rows)])) {
      const [announced, found] = [rows[table] ?? 0, this.#rows[table] ?? 0]
      if (announced !== found) throw this.#refusal(`says that ${table} has ${announced} rows, and there are ${found}`)
    }
  }

  #changed(crc: string): ConductError {
    if (this.#number === 1 && crc === '') {
      return new ConductError('BAD_REQUEST', 'This is not a Conduct export: line 1 is not a header.')
    }
    return this.#refusal(
      crc === ''
        ? 'is cut off: export again'
        : 'does not fit its CRC-32: it was changed, or lines before it are missing. Export again',
    )
  }

  #refusal(words: string): ConductError {
    return new ConductError('BAD_REQUEST', `Line ${this.#number} ${words}.`)
  }
}

export const textHash = (text: string) => createHash('sha256').update(text).digest('hex')

function requireHeader(content: Content): asserts content is { header: Header } {
  if (!('header' in content)) throw new ConductError('BAD_REQUEST', 'Line 1 is not the header of an export.')
  const { format } = content.header
  if (format === exportFormat) return
  throw new ConductError(
    'BAD_REQUEST',
    `Line 1: the export has format ${format}, and this Conduct reads format ${exportFormat}: import it with a newer Conduct.`,
  )
}
