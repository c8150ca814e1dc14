import assert from 'node:assert/strict'
import { request } from 'node:http'
import { hostname } from 'node:os'
import { type TestContext, test } from 'node:test'
import { adminKey, openServer } from './support/server.ts'

const bearer = { authorization: `Bearer ${adminKey}` }

/** Asks a server under any host name, as a page does whose name was made to resolve to this machine. */
async function asked(t: TestContext, allowedHosts: string[] = []) {
  const { port } = await openServer(t, 'sqlite::memory:', { allowedHosts })
  return (host: string, path: string, headers: Record<string, string> = {}, body?: string) =>
    new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
      const method = body === undefined ? 'GET' : 'POST'
      const asking = request({ host: '127.0.0.1', port, path, method, headers: { ...headers, host } }, (response) => {
        let text = ''
        response.on('data', (chunk) => {
          text += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode, text }))
      })
      asking.on('error', reject).end(body)
    })
}

test('only under an address or a name of this machine can it read the metrics without a key', async (t) => {
  const ask = await asked(t)
  const own = ['127.0.0.1', '127.0.0.1:3000', '[::1]:3000', '10.1.2.3', 'localhost:3000', 'LOCALHOST.', 'a.localhost']
  for (const host of [...own, hostname()]) assert.equal((await ask(host, '/metrics')).status, 200, host)
  for (const host of ['evil.example', 'evil.example:3000', 'localhost.evil.example', '127.0.0.1.evil.example', 'x']) {
    const { status, text } = await ask(host, '/metrics')
    assert.equal(status, 401, host)
    assert.match(text, /need a key of the whole server.*127\.0\.0\.1 or a name in CONDUCT_ALLOWED_HOSTS/)
    assert.equal((await ask(host, '/metrics', bearer)).status, 200, 'with a key')
    assert.equal((await ask(host, '/conduct/v1/runs', bearer)).status, 200, 'a proxy passes on any name')
  }
})

test('MCP accepts a page of the same host only under a name of the server', async (t) => {
  const ask = await asked(t, ['conduct.example.com'])
  const list = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
  const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...bearer }
  const statusOf = async (host: string, origin: string) =>
    (await ask(host, '/conduct/mcp', { ...json, origin }, list)).status
  assert.equal(await statusOf('localhost:3000', 'http://localhost:3000'), 200)
  assert.equal(await statusOf('conduct.example.com', 'https://conduct.example.com'), 200)
  assert.equal(await statusOf('conduct.example.com', 'https://other.example.com'), 403)
  assert.equal(await statusOf('evil.example:3000', 'http://evil.example:3000'), 403)
})

test('with a list of host names, requests under others are refused, and probes are not', async (t) => {
  const ask = await asked(t, ['conduct.example.com', 'Ledger.Internal'])
  for (const host of [
    'conduct.example.com',
    'CONDUCT.example.com.:443',
    'ledger.internal:3000',
    '10.1.2.3:3000',
    'localhost',
  ])
    assert.equal((await ask(host, '/conduct/v1/runs', bearer)).status, 200, host)
  for (const path of ['/conduct/v1/runs', '/conduct/', '/conduct/docs', '/metrics', '/conduct/v1/events', '/nowhere']) {
    const { status, text } = await ask('evil.example', path, bearer)
    assert.equal(status, 403, path)
    assert.match(text, /does not answer as 'evil\.example': add the name to CONDUCT_ALLOWED_HOSTS/)
  }
  // Kubernetes probes by address, and a load balancer under any name.
  for (const host of ['10.1.2.3:3000', '[fd00::1]:3000', 'evil.example'])
    for (const path of ['/livez', '/readyz']) assert.equal((await ask(host, path)).status, 200, `${host}${path}`)
})
