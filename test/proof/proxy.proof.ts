import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { createClient } from '../../src/client/client.ts'
import { adminKey, startServer } from '../support/server.ts'
import { freePort } from '../support/setup.ts'

const page = readFileSync(new URL('../../docs/reverse-proxy.md', import.meta.url), 'utf8')
const blockOf = (language: string) =>
  new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(page)?.[1] ?? assert.fail(`no ${language} block`)

interface Proxied {
  folder: string
  port: number
  /** The port of the server. */
  behind: string
}

test('the nginx configuration of the documentation passes everything that the dashboard needs', async (t) => {
  assert.equal(spawnSync('nginx', ['-v']).status, 0, 'nginx is missing: apt-get install nginx')
  await prove(t, ({ folder, port, behind }) => {
    const [certificate, key] = [join(folder, 'own.pem'), join(folder, 'own.key')]
    const subject = ['-subj', '/CN=localhost', '-days', '1']
    const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', certificate]
    execFileSync('openssl', [...made, ...subject], { stdio: 'ignore' })
    const server = blockOf('nginx')
      .replace('443', String(port))
      .replace('conduct.example.com;', 'localhost;')
      .replace('/etc/ssl/conduct.example.com.pem', certificate)
      .replace('/etc/ssl/conduct.example.com.key', key)
      .replace('127.0.0.1:3000', `127.0.0.1:${behind}`)
    const file = join(folder, 'nginx.conf')
    writeFileSync(
      file,
      `pid ${folder}/pid;\nerror_log ${folder}/log;\nevents {}\nhttp {\naccess_log off;\n${server}}\n`,
    )
    const checked = spawnSync('nginx', ['-t', '-c', file], { encoding: 'utf8' })
    assert.equal(checked.status, 0, checked.stderr)
    return spawn('nginx', ['-c', file, '-g', 'daemon off; master_process off;'], { stdio: 'ignore' })
  })
})

test('the Caddy configuration of the documentation passes everything that the dashboard needs', async (t) => {
  assert.equal(spawnSync('caddy', ['version']).status, 0, 'caddy is missing: apt-get install caddy')
  await prove(t, ({ folder, port, behind }) => {
    // Local certificates, and no files outside the folder.
    const options = `{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n\tlocal_certs\n}\n`
    const site = blockOf('caddyfile').replace('conduct.example.com', `https://localhost:${port}`)
    const file = join(folder, 'Caddyfile')
    writeFileSync(file, options + site.replace('127.0.0.1:3000', `127.0.0.1:${behind}`))
    const env = { ...process.env, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
    const adapted = spawnSync('caddy', ['validate', '--config', file, '--adapter', 'caddyfile'], {
      encoding: 'utf8',
      env,
    })
    assert.equal(adapted.status, 0, adapted.stderr)
    return spawn('caddy', ['run', '--config', file, '--adapter', 'caddyfile'], { stdio: 'ignore', env })
  })
})

/** Logs in, writes by cookie, sends 1.5 MB and reads an event from a stream, everything through the proxy. */
async function prove(t: TestContext, start: (proxied: Proxied) => ChildProcess) {
  const folder = mkdtempSync(join(tmpdir(), 'conduct-proxy-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const server = await startServer(t, `sqlite:${join(folder, 'conduct.db')}`)
  const port = await freePort()
  const proxy = start({ folder, port, behind: new URL(server.url).port })
  t.after(() => proxy.kill('SIGKILL'))
  const origin = `https://localhost:${port}`
  const browser = await loggedIn(origin, port)

  const stream = await open(origin, 'GET', '/conduct/v1/events', { ...browser, accept: 'text/event-stream' })
  t.after(() => stream.destroy())
  const sent = textOf(stream, 'Through a proxy')
  assert.equal((await call(origin, '/conduct/v1/runs', { title: 'Through a proxy' }, browser)).status, 201)
  assert.match(await sent, /run\.created/)

  // A line break takes two bytes in JSON.
  const large = await call(origin, '/conduct/v1/runs', { content: '\n'.repeat(750_000) }, browser)
  assert.equal(large.status, 201, large.text.slice(0, 300))
  // A proxy takes the encoded slash for one more folder than the server does.
  for (const path of ['/metrics', '/conduct/x%2fy/../../metrics']) {
    const metrics = await open(origin, 'GET', path)
    assert.equal((await textOf(metrics)).includes('conduct_'), false, path)
  }
  const { runs } = await createClient({ url: server.url, key: adminKey }).listRuns()
  assert.equal(runs.length, 2)
}

/** The headers of a logged-in browser. */
async function loggedIn(origin: string, port: number): Promise<Record<string, string>> {
  const root = await answering(origin)
  for (const { headers } of [root, await open(origin, 'GET', '/conduct')])
    assert.equal(new URL(headers.location ?? '', origin).href, `${origin}/conduct/`)
  const login = await call(origin, '/conduct/v1/auth/session', { key: adminKey }, { origin })
  assert.equal(login.status, 201, login.text)
  const cookie = login.headers['set-cookie']?.[0] ?? ''
  assert.match(cookie, new RegExp(`^conduct_session_${port}=`))
  assert.match(cookie, /Path=\/conduct\b.*Secure/)
  const { token } = JSON.parse(login.text) as { token: string }
  return { origin, cookie: cookie.split(';')[0] ?? '', 'x-session-token': token, 'sec-fetch-site': 'same-origin' }
}

async function call(origin: string, path: string, body: object, headers: Record<string, string>) {
  const json = { ...headers, 'content-type': 'application/json' }
  const response = await open(origin, 'POST', path, json, JSON.stringify(body))
  return { status: response.statusCode, headers: response.headers, text: await textOf(response) }
}

/** Returns the response once its headers have arrived. Accepts any certificate. */
function open(origin: string, method: string, path: string, headers = {}, body?: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(origin + path, { method, headers, rejectUnauthorized: false, agent: false }, resolve)
    sent.on('error', reject)
    sent.end(body)
  })
}

/** The text of a response, to its end or to these words. */
async function textOf(response: IncomingMessage, words?: string): Promise<string> {
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) {
    text += chunk
    if (words !== undefined && text.includes(words)) break
  }
  return text
}

/** Returns the response to a request for the root, once the proxy listens and has its certificate. */
async function answering(origin: string): Promise<IncomingMessage> {
  for (let tries = 0; tries < 200; tries++) {
    const root = await open(origin, 'GET', '/').catch(() => undefined)
    if (root) return root
    await wait(50)
  }
  assert.fail('the proxy does not answer')
}
