import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'

/** Fields that version 0.1 does not know, by the noun of the address. */
const unknown: Record<string, string[]> = {
  runs: ['author', 'command', 'contentType', 'exitCode', 'startedAt', 'endedAt', 'activity', 'required'],
  checks: ['contentType', 'tree', 'dirty'],
}

const headers = ['authorization', 'accept', 'content-type', 'idempotency-key', 'lease-token', 'x-project-id']

/** How an older version refuses a request, and what its answers have. */
interface Version {
  refusal(url: string, body: string): { code: string } | undefined
  answered(text: string): string
}

/** Version 0.1: it knows none of the fields above, no turns and no seal. */
const version01: Version = { refusal, answered: withoutTurns }

/** A version that knows turns once they have ended. */
export const withoutOpenTurns: Version = {
  refusal(_, body) {
    const given = body === '' ? {} : JSON.parse(body)
    return refusalOf(['open', 'turn'].filter((field) => field in given))
  },
  answered: (text) => text,
}

/**
 * A proxy before a server that answers as an older version would. `upgrade` makes it pass everything on, and `downgrade`
 * undoes that.
 */
export async function olderServer(t: TestContext, server: string, { refusal, answered } = version01) {
  let isOld = true
  const proxy = createServer(async (request, response) => {
    const { url = '', method = 'GET' } = request
    const body = await text(request)
    const refused = isOld ? refusal(url, body) : undefined
    if (refused) {
      response.writeHead(refused.code === 'NOT_FOUND' ? 404 : 422, { 'content-type': 'application/json' })
      return response.end(JSON.stringify({ ...refused, requestId: 'r' }))
    }
    const passed = headers.flatMap((name) => (request.headers[name] ? [[name, String(request.headers[name])]] : []))
    const answer = await fetch(new URL(url, server), {
      method,
      headers: Object.fromEntries(passed),
      ...(body !== '' && { body }),
    })
    const json = await answer.text()
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
    response.end(isOld ? answered(json) : json)
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.after(() => proxy.close())
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${new URL(server).pathname}`
  const upgrade = () => {
    isOld = false
  }
  const downgrade = () => {
    isOld = true
  }
  return { url, upgrade, downgrade }
}

function refusal(url: string, body: string) {
  const { pathname } = new URL(url, 'http://server')
  const [, noun = ''] = /\/v1\/(\w+)/.exec(pathname) ?? []
  if (/\/turns(?:\/|$)|\/v1\/log\//.test(pathname)) {
    return { code: 'NOT_FOUND', error: `There is nothing at ${pathname}; the API is described at /conduct/docs.` }
  }
  const given = body === '' ? {} : JSON.parse(body)
  const paths = [
    ...(unknown[noun] ?? []).filter((field) => field in given),
    ...(noun === 'runs' && given.git?.tree ? ['git.tree'] : []),
  ]
  return refusalOf(paths)
}

function refusalOf(paths: string[]) {
  if (paths.length === 0) return undefined
  const issues = paths.map((path) => ({ path, message: 'unknown field; known here: title' }))
  const error = `${issues.map(({ path, message }) => `${path}: ${message}`).join('; ')}.`
  return { code: 'VALIDATION_ERROR', error, issues }
}

function withoutTurns(text: string): string {
  if (!text.startsWith('{"run":')) return text
  const { run, ...rest } = JSON.parse(text)
  const { turns: _, ...earlier } = run
  return JSON.stringify({ run: earlier, ...rest })
}
