import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { openStore } from '../src/operations/open.ts'
import { createApp } from '../src/server/app.ts'
import { version } from '../src/version.ts'

const index = '<!doctype html><script type="module" src="./assets/index-4f2a.js"></script>'
const script = `export const words = '${'many words '.repeat(200)}'`

/** A folder as the build creates it, or an empty one, beside a file that the server must not serve. */
function folderOf(t: TestContext, isBuilt = true): string {
  const folder = mkdtempSync(join(tmpdir(), 'conduct-page-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'secret.txt'), 'secret')
  const web = join(folder, 'web')
  mkdirSync(join(web, 'assets'), { recursive: true })
  if (isBuilt) build(web)
  return web
}

function build(web: string) {
  writeFileSync(join(web, 'index.html'), index)
  writeFileSync(join(web, 'favicon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>')
  writeFileSync(join(web, 'assets/index-4f2a.js'), script)
  writeFileSync(join(web, 'assets/style-9c1d.css'), 'body{}')
  writeFileSync(join(web, 'assets/font-77aa.woff2'), Uint8Array.of(1, 2, 3))
  symlinkSync('../secret.txt', join(web, 'link.txt'))
}

async function serverOf(t: TestContext, webFolder: string, basePath = '/conduct') {
  const store = await openStore('sqlite::memory:')
  t.after(() => store.close())
  const app = createApp({ store, webFolder, basePath })
  return async (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    app.fetch(new Request(`http://localhost${basePath}${path}`, { method, headers }))
}

const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

for (const basePath of ['/conduct', '/a/b', '']) {
  test(`the page and its files are served under '${basePath}'`, async (t) => {
    const get = await serverOf(t, folderOf(t), basePath)
    const home = await get('/')
    assert.deepEqual([home.status, await home.text()], [200, index])
    assert.equal(home.headers.get('cache-control'), 'no-cache')
    const asset = await get('/assets/index-4f2a.js')
    assert.deepEqual([asset.status, await asset.text()], [200, script])
    assert.equal(asset.headers.get('cache-control'), 'public, max-age=31536000, immutable')
    assert.equal((await get('/favicon.svg')).headers.get('cache-control'), 'no-cache')
    assert.equal((await get('/v1/runs', browser)).status, 401)
    assert.equal((await get('/openapi.json')).headers.get('content-type'), 'application/json')
    assert.match(await (await get('/docs', browser)).text(), /Conduct API/)
    const probe = await (await serverOf(t, folderOf(t), ''))('/livez', browser)
    assert.deepEqual(await probe.json(), { status: 'ok', version })
  })
}

test('a browser is redirected to the page, and a program is not', async (t) => {
  const store = await openStore('sqlite::memory:')
  t.after(() => store.close())
  for (const [basePath, home] of [
    ['/conduct', '/conduct/'],
    ['/a/b', '/a/b/'],
  ] as const) {
    const app = createApp({ store, webFolder: folderOf(t), basePath })
    const ask = (path: string, headers = {}, method = 'GET') =>
      app.fetch(new Request(`http://localhost${path}`, { method, headers }))
    for (const path of ['/', basePath, `${home}runs`]) {
      for (const method of ['GET', 'HEAD']) {
        const led = await ask(path, browser, method)
        assert.deepEqual([led.status, led.headers.get('location')], [302, home], path)
      }
    }
    assert.equal((await ask('/')).status, 404)
    assert.equal((await ask('/', browser, 'POST')).status, 404)
    assert.equal((await ask('/elsewhere', browser)).status, 404)
  }
})

test('each file has its type, and a policy against foreign scripts and embedding', async (t) => {
  const get = await serverOf(t, folderOf(t))
  const types = {
    '/': 'text/html; charset=utf-8',
    '/index.html': 'text/html; charset=utf-8',
    '/favicon.svg': 'image/svg+xml; charset=utf-8',
    '/assets/index-4f2a.js': 'text/javascript; charset=utf-8',
    '/assets/style-9c1d.css': 'text/css; charset=utf-8',
    '/assets/font-77aa.woff2': 'font/woff2',
  }
  for (const [path, type] of Object.entries(types)) {
    const { headers } = await get(path)
    assert.equal(headers.get('content-type'), type)
    const policy = headers.get('content-security-policy') ?? ''
    assert.match(policy, /^default-src 'none'; script-src 'self'; .*base-uri 'none'.*frame-ancestors 'none'$/)
    assert.doesNotMatch(policy, /unsafe|\*|https?:/)
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('referrer-policy'), 'no-referrer')
  }
})

test('an unchanged file is not sent again, and HEAD sends no body', async (t) => {
  const get = await serverOf(t, folderOf(t))
  for (const path of ['/', '/assets/index-4f2a.js']) {
    const etag = (await get(path)).headers.get('etag') ?? ''
    const again = await get(path, { 'if-none-match': `W/"other", ${etag}` })
    assert.deepEqual([again.status, await again.text(), again.headers.get('etag')], [304, '', etag])
    assert.equal((await get(path, { 'if-none-match': 'W/"other"' })).status, 200)
    const head = await get(path, {}, 'HEAD')
    assert.deepEqual([head.status, await head.text(), head.headers.get('etag')], [200, '', etag])
  }
})

test('files are compressed for clients that accept it, if that makes them shorter', async (t) => {
  const get = await serverOf(t, folderOf(t))
  const ask = (path: string, coding: string) => get(path, { 'accept-encoding': coding })
  for (const coding of ['gzip', 'br, gzip', 'gzip;q=0.5', 'deflate, GZIP;q=1.0, *;q=0']) {
    const { headers } = await ask('/assets/index-4f2a.js', coding)
    assert.equal(headers.get('content-encoding'), 'gzip', coding)
    assert.equal(headers.get('vary'), 'Accept-Encoding')
  }
  const body = await (await ask('/assets/index-4f2a.js', 'gzip')).arrayBuffer()
  assert.equal(gunzipSync(body).toString(), script)
  for (const coding of ['', 'br', 'gzip;q=0', 'gzip; q=0.0, br', 'identity']) {
    const response = await ask('/assets/index-4f2a.js', coding)
    assert.deepEqual([response.headers.get('content-encoding'), await response.text()], [null, script], coding)
  }
  assert.equal((await ask('/assets/font-77aa.woff2', 'gzip')).headers.get('content-encoding'), null)
})

test('a browser at an unknown address is redirected to the page, and a program gets an error', async (t) => {
  const get = await serverOf(t, folderOf(t))
  for (const path of ['', '/runs', '/runs/RUN-001', '/assets/none']) {
    const response = await get(path, browser)
    assert.deepEqual([response.status, response.headers.get('location')], [302, '/conduct/'], path)
  }
  for (const [path, headers] of [
    ['/runs', {}],
    ['/runs', { accept: 'application/json' }],
    ['/assets/index-0000.js', browser],
    ['/none.html', browser],
  ] as const) {
    const response = await get(path, headers)
    assert.equal(response.status, 404, path)
    assert.equal(((await response.json()) as { code: string }).code, 'NOT_FOUND')
  }
  assert.equal((await get('/', {}, 'POST')).status, 404)
})

test('only the files of the page are served', async (t) => {
  const get = await serverOf(t, folderOf(t))
  for (const path of [
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/assets/../../secret.txt',
    '/assets/..%5c..%5csecret.txt',
    '//secret.txt',
    '/link.txt',
    '/assets/',
    '/assets',
    '/constructor.js',
    '/__proto__.js',
    '/index.html%00.js',
    '/%',
  ]) {
    const response = await get(path)
    assert.equal(response.status, 404, path)
    assert.doesNotMatch(await response.text(), /^secret$/)
  }
})

test('without a build the page says how to make one, and appears once it is made', async (t) => {
  const web = folderOf(t, false)
  const get = await serverOf(t, web)
  const response = await get('/', browser)
  assert.deepEqual([response.status, response.headers.get('content-type')], [404, 'text/plain; charset=utf-8'])
  assert.match(await response.text(), /npm run build\n[\s\S]*\/conduct\/docs/)
  build(web)
  assert.equal((await get('/', browser)).status, 200)
})
