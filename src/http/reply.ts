/**
 * A response that is not bound to a socket or to the Fetch standard. A server sends it as it is: the first Response of a
 * process loads undici, which takes 14 MB.
 */
export class Reply {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: string | Uint8Array<ArrayBuffer> | ReadableStream | null

  constructor({ status, headers, body }: Pick<Reply, 'status' | 'headers' | 'body'>) {
    this.status = status
    this.headers = headers
    this.body = body
  }

  static from(response: Response): Reply {
    return new Reply({ status: response.status, headers: Object.fromEntries(response.headers), body: response.body })
  }

  toResponse(): Response {
    return new Response(this.body, this)
  }
}
