/** The parts of a response. */
export interface Answer {
  status: number
  headers: Record<string, string>
  body: string | Uint8Array<ArrayBuffer> | ReadableStream | null
}

/**
 * An answer as Hono passes it on in place of a Response. The server sends it as it is: the first Response of a process loads
 * undici (docs/adr/0020-the-server-has-its-own-listener.md).
 */
export class Reply implements Answer {
  readonly status
  readonly headers
  readonly body

  constructor({ status, headers, body }: Answer) {
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
