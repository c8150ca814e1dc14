import type { HonoRequest } from 'hono'
import type { Name } from '../../contract/paths.ts'
import type { Exchange } from '../exchange.ts'

/** An address that is not a plain JSON operation and therefore not served by the loop over the table. */
export interface Handler {
  /** Its name in metrics and log. */
  label: string
  /** Path patterns of Hono, from the root of the server. */
  paths: readonly string[]
  methods: readonly ('GET' | 'POST' | 'DELETE' | 'OPTIONS')[]
  /** The operation of the table that it serves instead of the loop. */
  carries?: Name
  /** Whether it serves this request; if not, the next handler or the loop does. If absent, it serves all. */
  takes?(request: HonoRequest): boolean
  /** Whether it answers under any host name, also one that the server does not have. */
  isProbe?: true
  answer(exchange: Exchange): Promise<ResponseParts>
}

/** The parts of a response. */
export interface ResponseParts {
  status: number
  headers: Record<string, string>
  body: string | Uint8Array<ArrayBuffer> | ReadableStream | null
}

/**
 * An answer as Hono passes it on in place of a Response. The server sends it as it is: the first Response of a process loads
 * undici (docs/adr/0020-the-server-has-its-own-listener.md).
 */
export class Reply implements ResponseParts {
  readonly status
  readonly headers
  readonly body

  constructor({ status, headers, body }: ResponseParts) {
    this.status = status
    this.headers = headers
    this.body = body
  }

  static from({ status, headers, body }: Response): Reply {
    return new Reply({ status, headers: Object.fromEntries(headers), body })
  }

  toResponse(): Response {
    return new Response(this.body, this)
  }
}
