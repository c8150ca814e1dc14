import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { version } from '../src/version.ts'
import { main } from './support/program.ts'
import { startServer } from './support/server.ts'

/** Runs `conduct …` until it exits. */
function conduct(
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [main, ...args],
      { env: { PATH: process.env.PATH, HOME: '/nonexistent', ...env } },
      (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
      },
    )
  })
}

test('the error for a taken port names the flag that changes it', async (t) => {
  const holder = createServer()
  await new Promise<void>((done) => holder.listen(0, '127.0.0.1', done))
  t.after(() => holder.close())
  const port = String((holder.address() as { port: number }).port)
  const { code, stderr } = await conduct(['serve', '--database-url', 'sqlite::memory:', '--port', port])
  assert.equal(code, 1)
  assert.equal(stderr, `conduct: port ${port} is taken: choose another with --port or CONDUCT_PORT.\n`)
})

test('the error for an address that the machine does not have names the flag that changes it', async () => {
  for (const host of ['192.0.2.77', 'nothing.invalid']) {
    const { code, stderr } = await conduct([
      'serve',
      '--database-url',
      'sqlite::memory:',
      '--port',
      '0',
      '--host',
      host,
    ])
    assert.equal(code, 1)
    const words = `this machine has no address ${host}: choose another with --host or CONDUCT_HOST.`
    assert.equal(stderr, `conduct: ${words}\n`)
  }
})

test('a wrong setting, a wrong flag and a wrong command fail with a message', async () => {
  const setting = await conduct(['serve'], { CONDUCT_PORT: 'x', CONDUCT_NAME: 'y' })
  assert.equal(setting.code, 2)
  assert.match(setting.stderr, /CONDUCT_PORT must be a whole number.*\nCONDUCT_NAME is not a setting/)
  const flag = await conduct(['serve', '--prot', '1'])
  assert.equal(flag.code, 2)
  assert.match(flag.stderr, /Did you mean --port\?/)
  const command = await conduct(['sevre'])
  assert.equal(command.code, 2)
  assert.match(command.stderr, /Did you mean serve\?/)
  const folder = await conduct(['serve', '--database-url', 'sqlite:/dev/null/x.db'])
  assert.equal(folder.code, 7)
  assert.match(folder.stderr, /^conduct: sqlite:\/dev\/null\/x\.db cannot be opened: /)
})

test('--version and --help print at once', async () => {
  // The program may have been built at an earlier commit from the same files.
  const withoutCommit = (text: string) => text.trim().replace(/\+.*/, '')
  assert.equal(withoutCommit((await conduct(['--version'])).stdout), withoutCommit(version))
  const help = await conduct(['serve', '--help'])
  assert.equal(help.code, 0)
  assert.match(help.stdout, /--database-url[\s\S]*CONDUCT_ADMIN_KEY/)
})

const onUnix = { skip: process.platform === 'win32' }

test('a full disk under the log does not end the server', onUnix, async (t) => {
  const full = openSync('/dev/full', 'w')
  t.after(() => closeSync(full))
  const child = spawn(
    process.execPath,
    [main, 'serve', '--database-url', 'sqlite::memory:', '--port', '0', '--log-level', 'info'],
    { env: { PATH: process.env.PATH, HOME: '/nonexistent' }, stdio: ['ignore', 'pipe', full] },
  )
  t.after(() => child.kill('SIGKILL'))
  assert.ok(child.stdout)
  const [banner] = await once(child.stdout, 'data')
  const url = /listens on (\S+)/.exec(String(banner))?.[1]
  for (let request = 0; request < 3; request++) assert.equal((await fetch(`${url}/v1/runs`)).status, 401)
  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'exit'), [0, null])
})

for (const [name, command] of [
  ['full', '"$0" "$@" > /dev/full'],
  // The server starts once nobody reads.
  ['closed', '{ trap "" PIPE; while echo 2>/dev/null; do :; done; exec "$0" "$@"; } | true'],
] as const) {
  test(`a server whose stdout is ${name} starts, and says so in the log`, { ...onUnix, timeout: 60_000 }, async (t) => {
    const words = [main, 'serve', '--database-url', 'sqlite::memory:', '--port', '0', '--log-level', 'info']
    const child = spawn('sh', ['-c', command, process.execPath, ...words], {
      env: { PATH: process.env.PATH, HOME: '/nonexistent' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    t.after(() => process.kill(-(child.pid as number), 'SIGTERM'))
    let log = ''
    for await (const piece of child.stderr) {
      log += piece
      if (log.includes('stdout cannot be written')) break
    }
    assert.match(log, /"level":40.*"stdout cannot be written; the server continues"/)
  })
}

test('SIGHUP ends the server in order, as SIGTERM does', onUnix, async (t) => {
  const server = await startServer(t, 'sqlite::memory:')
  assert.equal(await server.end('SIGHUP'), 0)
})
