import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { engines } from './support/engines.ts'
import { main } from './support/program.ts'
import { startServer } from './support/server.ts'

/** `conduct …`, run to its end. */
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

for (const engine of engines) {
  test(`the first start prints a key once, with a curl that works (${engine.name})`, async (t) => {
    const url = await engine.freshUrl(t)
    const first = await startServer(t, url, { CONDUCT_ADMIN_KEY: '' })
    const command = /^ {2}(curl .*)$/m.exec(first.output())?.[1] ?? ''
    const { stdout } = await new Promise<{ stdout: string }>((resolve, reject) => {
      execFile('sh', ['-c', `${command} -s`], (error, stdout) => (error ? reject(error) : resolve({ stdout })))
    })
    assert.equal(JSON.parse(stdout).run.title, 'Hello ledger')
    assert.ok(!first.output().includes('conduct:conduct@'), 'the password of the database is not shown')
    assert.equal(await first.end('SIGTERM'), 0)
    const second = await startServer(t, url, { CONDUCT_ADMIN_KEY: '' })
    assert.ok(!second.output().includes('sk_admin_'))
    assert.equal(await second.end('SIGINT'), 0)
  })
}

test('a taken port is said, with the flag that changes it', async (t) => {
  const holder = createServer()
  await new Promise<void>((done) => holder.listen(0, '127.0.0.1', done))
  t.after(() => holder.close())
  const port = String((holder.address() as { port: number }).port)
  const { code, stderr } = await conduct(['serve', '--database-url', 'sqlite::memory:', '--port', port])
  assert.equal(code, 1)
  assert.equal(stderr, `conduct: port ${port} is taken: choose another with --port or CONDUCT_PORT.\n`)
})

test('a wrong setting, a wrong flag and a wrong command stop with words', async () => {
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

test('--version and --help answer at once', async () => {
  assert.match((await conduct(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/)
  const help = await conduct(['serve', '--help'])
  assert.equal(help.code, 0)
  assert.match(help.stdout, /--database-url[\s\S]*CONDUCT_ADMIN_KEY/)
})
