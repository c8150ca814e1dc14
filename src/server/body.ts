import type { HonoRequest } from 'hono'
import { ConductError } from '../contract/error.ts'
import { cut, invalidInput } from '../contract/explain.ts'

const decoder = new TextDecoder('utf-8', { fatal: true })

/** The client closed the connection before its request was complete. */
export class Aborted extends Error {}

/**
 * Reads a JSON body of at most `limit` bytes. Checks the content type first. Throws UNSUPPORTED_MEDIA_TYPE, and what
 * `readBytes` throws.
 */
export function readBody(request: HonoRequest, limit: number): Promise<Uint8Array> {
  const type = request.header('content-type')
  if (type !== undefined) requireJson(type)
  const encoding = request.header('content-encoding') ?? 'identity'
  if (encoding.toLowerCase() !== 'identity') {
    const words = `The body is encoded as '${cut(encoding)}': send it as it is, without Content-Encoding.`
    throw new ConductError('UNSUPPORTED_MEDIA_TYPE', words)
  }
  return readBytes(request.raw, limit)
}

/** Reads a body. Throws PAYLOAD_TOO_LARGE as soon as it exceeds `limit` bytes, and Aborted if the client disconnects. */
async function readBytes({ headers, body }: Request, limit: number): Promise<Uint8Array> {
  if (Number(headers.get('content-length')) > limit) throw tooLarge(limit)
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of body ?? []) {
      size += chunk.length
      if (size > limit) break
      chunks.push(chunk)
    }
  } catch (cause) {
    throw new Aborted('The client closed the connection before the body was complete.', { cause })
  }
  if (size > limit) throw tooLarge(limit)
  return Buffer.concat(chunks)
}

function tooLarge(limit: number): ConductError {
  return new ConductError('PAYLOAD_TOO_LARGE', `The body is larger than ${limit.toLocaleString('en')} bytes.`)
}

/** The most names and values of a JSON body. No operation takes a third of them. */
export const mostValues = 50_000

/** Parses a JSON body; an empty body is `{}`. Throws UNSUPPORTED_MEDIA_TYPE, BAD_REQUEST, or VALIDATION_ERROR. */
export function parseBody(bytes: Uint8Array, contentType: string | undefined): unknown {
  if (bytes.length === 0) return {}
  requireJson(contentType)
  if (hasMoreValues(bytes, mostValues)) {
    throw invalidInput([
      { path: '', message: `the body must have at most ${mostValues.toLocaleString('en')} names and values` },
    ])
  }
  let text: string
  try {
    text = decoder.decode(bytes)
  } catch {
    throw new ConductError('BAD_REQUEST', 'The body is not UTF-8.')
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new ConductError('BAD_REQUEST', `The body is not JSON: ${(error as Error).message}.`)
  }
}

/** Throws UNSUPPORTED_MEDIA_TYPE unless the content type is JSON. */
function requireJson(contentType: string | undefined): void {
  const [type = ''] = (contentType ?? '').split(';', 1)
  if (type.trim().toLowerCase() !== 'application/json') {
    throw new ConductError(
      'UNSUPPORTED_MEDIA_TYPE',
      `The body is ${contentType ? `'${cut(contentType)}'` : 'of no stated type'}: send JSON with Content-Type: application/json.`,
    )
  }
}

/** The characters of JSON that the scan looks for. */
const [quote, comma, colon, list, backslash, object] = [0x22, 0x2c, 0x3a, 0x5b, 0x5c, 0x7b]

/**
 * Whether JSON has more than `most` names and values, without parsing it: millions of small ones take seconds to parse,
 * but long texts do not. Objects and lists count, too, an empty one twice.
 */
export function hasMoreValues(json: Uint8Array, most: number): boolean {
  // Between two values there is a character at least.
  if (json.length <= most) return false
  let found = 1
  let isText = false
  for (let at = 0; at < json.length && found <= most; at++) {
    const character = json[at]
    if (character === quote) isText = !isText
    else if (isText && character === backslash) at++
    else if (isText) continue
    else if (character === comma || character === colon || character === list || character === object) found++
  }
  return found > most
}

/** A body that takes longer, in milliseconds, is slow. */
const slowMs = 100

/**
 * Enters as the caller of a request, and reads its body. Enters again after a slow body: the key may have been revoked or
 * have expired meanwhile. Otherwise, a thief could keep a request open that creates the next key.
 */
export async function enterAndRead<Caller, Input>(
  exchange: { now: string },
  now: () => string,
  enter: () => Promise<Caller>,
  read: () => Promise<Input>,
): Promise<[Caller, Input]> {
  const caller = await enter()
  const begun = performance.now()
  const input = await read()
  if (performance.now() - begun < slowMs) return [caller, input]
  exchange.now = now()
  return [await enter(), input]
}
