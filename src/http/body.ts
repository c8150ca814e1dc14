import { ConductError } from '../api/error.ts'

const decoder = new TextDecoder('utf-8', { fatal: true })

/** The bytes of a request's body, at most `limit`. Throws PAYLOAD_TOO_LARGE before reading more than that. */
export async function readBytes(request: Request, limit: number): Promise<Uint8Array> {
  const declared = request.headers.get('content-length')
  if (declared !== null) {
    if (Number(declared) > limit) throw tooLarge(limit)
    // Node.js lets no more through than was declared.
    return new Uint8Array(await request.arrayBuffer())
  }
  if (!request.body) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body) {
    size += chunk.length
    if (size > limit) throw tooLarge(limit)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function tooLarge(limit: number): ConductError {
  return new ConductError('PAYLOAD_TOO_LARGE', `The body is larger than ${limit.toLocaleString('en')} bytes.`)
}

/** The JSON value of a body; an empty one is `{}`. Throws UNSUPPORTED_MEDIA_TYPE, BAD_REQUEST. */
export function parseBody(bytes: Uint8Array, contentType: string | undefined): unknown {
  if (bytes.length === 0) return {}
  requireJson(contentType)
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

/** Throws UNSUPPORTED_MEDIA_TYPE unless a body is announced as JSON. */
export function requireJson(contentType: string | undefined): void {
  const [type = ''] = (contentType ?? '').split(';')
  if (type.trim().toLowerCase() !== 'application/json') {
    throw new ConductError(
      'UNSUPPORTED_MEDIA_TYPE',
      `The body is ${contentType ? `'${contentType}'` : 'of no stated type'}: send JSON with Content-Type: application/json.`,
    )
  }
}
