import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSettings, withoutPassword } from '../../src/place/setting.ts'

test('flags take precedence over the environment, and both over the defaults', () => {
  const settings = readSettings({ port: '1' }, { CONDUCT_PORT: '2', CONDUCT_HOST: '::1', CONDUCT_LOG_LEVEL: '' })
  assert.deepEqual([settings.port, settings.host, settings.logLevel, settings.rateLimit], [1, '::1', 'warn', 6000])
  assert.match(settings.databaseUrl, /^sqlite:.*conduct\/conduct\.db$/)
  assert.equal(settings.adminKey, undefined)
})

const wrong: [flags: Record<string, string>, env: Record<string, string>, message: RegExp][] = [
  [{ port: '65536' }, {}, /--port must be a whole number from 0 to 65535, not '65536'/],
  [{}, { CONDUCT_PORT: '0x10' }, /CONDUCT_PORT must be a whole number/],
  [{}, { CONDUCT_BASE_PATH: 'conduct/' }, /CONDUCT_BASE_PATH must be a path like \/conduct/],
  [{}, { CONDUCT_DATABASE_URL: 'mysql://x:secret@y' }, /CONDUCT_DATABASE_URL must be sqlite:FILE/],
  [{ databaseUrl: 'postgres://a:b@c/d' }, {}, /--database-url contains a password.*set CONDUCT_DATABASE_URL instead/],
  [{}, { CONDUCT_ADMIN_KEY: 'sk_write_x' }, /CONDUCT_ADMIN_KEY must be sk_admin_ and 43 characters/],
  [{}, { CONDUCT_CONTENT_LIMIT: '10' }, /CONDUCT_CONTENT_LIMIT must be a whole number from 1024/],
  [{}, { CONDUCT_CORS_ORIGINS: 'https://a.example/path' }, /CONDUCT_CORS_ORIGINS must be origins/],
  [{}, { CONDUCT_LOG_LEVEL: 'loud' }, /CONDUCT_LOG_LEVEL must be one of silent, error, warn, info, debug, not 'loud'/],
  [{}, { CONDUCT_ANCHOR_WEBHOOK: 'https://a.example' }, /CONDUCT_ANCHOR_WEBHOOK needs CONDUCT_ANCHOR_WEBHOOK_SECRET/],
  [{}, { CONDUCT_ANCHOR_WEBHOOK: 'ftp://a.example' }, /CONDUCT_ANCHOR_WEBHOOK must be an address like https:/],
  [{}, { CONDUCT_ANCHOR_WEBHOOK_SECRET: 'whsec_short' }, /CONDUCT_ANCHOR_WEBHOOK_SECRET must be whsec_ and the base64/],
  [{}, { CONDUCT_PROT: '1' }, /CONDUCT_PROT is not a setting; there are CONDUCT_HOST/],
]

for (const [flags, env, message] of wrong) {
  test(`${JSON.stringify({ ...flags, ...env })} is refused`, () =>
    assert.throws(() => readSettings(flags, env), message))
}

test('the error lists all wrong settings at once', () => {
  assert.throws(() => readSettings({}, { CONDUCT_PORT: 'x', CONDUCT_HOST: 'a b' }), /CONDUCT_HOST.*\n.*CONDUCT_PORT/)
})

test('a database URL keeps its password', () => {
  const url = 'postgres://me:secret@host/db'
  assert.equal(readSettings({}, { CONDUCT_DATABASE_URL: url }).databaseUrl, url)
})

test('a secret never shows', () => {
  assert.equal(
    withoutPassword('postgres://me:p@ss:w/rd@host/db?password=x&a=b&sslpassword=y'),
    'postgres://me:…@host/db?password=…&a=b&sslpassword=…',
  )
  assert.equal(withoutPassword('postgres://me:one\u2028two\nthree@host/db'), 'postgres://me:…@host/db')
  const wrong = ['postgre://', 'mysql://', 'POSTGRES://', 'postgresql+asyncpg://', 'jdbc:postgresql://', 'postgres:/']
  for (const start of [...wrong, '"postgres://', ' postgres://', ''])
    assert.equal(withoutPassword(`${start}me:s:e/cr@t@host/db`), `${start}me:…@host/db`)
  for (const url of ['postgres://me@host:5432/db', 'sqlite:/a:b@c/conduct.db']) assert.equal(withoutPassword(url), url)
  const secrets = { CONDUCT_ADMIN_KEY: 'sk_admin_secret', CONDUCT_ANCHOR_WEBHOOK_SECRET: 'whsec_secret' }
  assert.throws(
    () => readSettings({}, secrets),
    ({ message }: Error) => !/_secret/.test(message),
  )
})

test('origins are parsed as a list', () => {
  assert.deepEqual(readSettings({}, { CONDUCT_ALLOWED_HOSTS: 'a.example, b' }).allowedHosts, ['a.example', 'b'])
  for (const wrong of ['https://a.example', 'a.example:443', '*.example', 'a/b'])
    assert.throws(() => readSettings({}, { CONDUCT_ALLOWED_HOSTS: wrong }), /CONDUCT_ALLOWED_HOSTS must be host names/)
  assert.deepEqual(readSettings({}, { CONDUCT_CORS_ORIGINS: 'https://a.example, http://localhost:5173' }).corsOrigins, [
    'https://a.example',
    'http://localhost:5173',
  ])
})

test('CONDUCT_WEBHOOK_ALLOW accepts hosts, addresses and ranges', () => {
  const read = (text: string) => readSettings({}, { CONDUCT_WEBHOOK_ALLOW: text }).webhookAllow
  const right = ['hooks.internal', 'n8n', '10.0.0.7', '10.0.0.0/8', '::1', 'fd00::/8']
  assert.deepEqual(read(right.join(', ')), right)
  assert.deepEqual(read(''), [])
  for (const wrong of ['10.0.0.0/33', '10.0.0', 'http://x', 'fd00::/129', 'a/8', '10.0.0.0/8/8', '10.0.0.0/', 'a b']) {
    assert.throws(() => read(wrong), /CONDUCT_WEBHOOK_ALLOW must be hosts, addresses and ranges/, wrong)
  }
})
