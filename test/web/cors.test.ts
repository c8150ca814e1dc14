import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { openBrowser } from '../support/browser.ts'
import { adminKey, openServer } from '../support/server.ts'

/** The origin of a server of empty pages. */
async function emptyPages(t: TestContext): Promise<string> {
  const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<!doctype html>'))
  server.listen(0, '127.0.0.1')
  t.after(() => server.close().closeAllConnections())
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Creates, changes and deletes a run from the page, as far as the browser lets it. Returns what the page learns. */
async function useApi({ url, key }: { url: string; key: string }) {
  const ask = async (method: string, path: string, body?: object, more = {}) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...more }
    const response = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) })
    return { status: response.status, etag: response.headers.get('etag') ?? '' }
  }
  try {
    const made = await ask('POST', '/v1/runs', { runId: 'A' }, { 'idempotency-key': 'once' })
    const changed = await ask('PATCH', '/v1/runs/A', { title: 'New' }, { 'if-match': made.etag })
    return [made, changed, await ask('DELETE', '/v1/runs/A'), await ask('GET', '/v1/runs/A')].map(
      ({ status }) => status,
    )
  } catch (error) {
    return (error as Error).message
  }
}

test('a page of a listed origin uses the API in a browser, and a page of another one cannot', async (t) => {
  const [listed, other] = [await emptyPages(t), await emptyPages(t)]
  const { url } = await openServer(t, 'sqlite::memory:', { corsOrigins: [listed] })
  const page = await (await openBrowser()).newPage()
  t.after(() => page.close())
  await page.goto(listed)
  assert.deepEqual(await page.evaluate(useApi, { url, key: adminKey }), [201, 200, 200, 404])
  await page.goto(other)
  assert.equal(await page.evaluate(useApi, { url, key: adminKey }), 'Failed to fetch')
})
