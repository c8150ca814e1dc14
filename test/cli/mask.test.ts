import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { mask } from '../../src/cli/record/mask.ts'
import { newSecret } from '../../src/ledger/secret.ts'

const letters = 'k7Qw2ZrT9xBn4LsVd8MfYh3JcPg6RaUe5XtHb1WmKjNvSyDzCqFoGpEiAuOl'
/** So many characters that look drawn. The fakes are put together here, so that no scanner takes this file for a leak. */
const drawn = (length: number) => letters.repeat(Math.ceil(length / letters.length)).slice(0, length)
const digits = (length: number) => '4719203856'.repeat(2).slice(0, length)

const secrets: Record<string, string> = {
  'AWS key id': `AKIA${drawn(40)
    .toUpperCase()
    .replace(/[^A-Z]/g, '')
    .slice(0, 16)}`,
  'AWS secret': drawn(40),
  'GitHub token': `ghp_${drawn(36)}`,
  'GitHub fine-grained token': `github_pat_${drawn(22)}_${drawn(59)}`,
  'GitLab token': `glpat-${drawn(20)}`,
  'Slack token': `xoxb-${digits(12)}-${digits(12)}-${drawn(24)}`,
  'Slack webhook': `https://hooks.slack.com/services/T0A1B2C3D/B0A1B2C3D/${drawn(24)}`,
  'OpenAI key': `sk-proj-${drawn(74)}T3BlbkFJ${drawn(74)}`,
  'OpenAI key of an odd length': `sk-proj-${drawn(100)}`,
  'Anthropic key': `sk-ant-api03-${drawn(93)}AA`,
  'Anthropic token': `sk-ant-oat01-${drawn(93)}AA`,
  'Google key': `AIza${drawn(35)}`,
  'npm token': `npm_${drawn(36)}`,
  'Stripe key': `sk_live_${drawn(24)}`,
  'SendGrid key': `SG.${drawn(22)}.${drawn(43)}`,
  'Hugging Face token': `hf_${drawn(34)}`,
  'JSON Web Token': `eyJ${drawn(30)}.eyJ${drawn(40)}.${drawn(43)}`,
  'private key': generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString().trim(),
  'private key, cut off': `-----BEGIN OPENSSH PRIVATE KEY-----\n${drawn(64)}\n${drawn(30)}`,
  'server key of Conduct': newSecret(['admin']),
  'agent key of Conduct': newSecret(['agent']),
}

const around: Record<string, (secret: string) => string> = {
  'AWS secret': (secret) => `export AWS_SECRET_ACCESS_KEY="${secret}"`,
  'private key, cut off': (secret) => `the key is\n${secret}`,
}

for (const [name, secret] of Object.entries(secrets)) {
  test(`${name}: masked, and the words around it kept`, async () => {
    const text = (around[name] ?? ((one: string) => `use ${one} to deploy`))(secret)
    const result = await mask(`First line.\n${text}`)
    assert.ok(!result.includes(secret.slice(-12)), result)
    assert.ok(result.startsWith('First line.\n'), result)
    if (!around[name]) assert.match(result, /use \S+ to deploy$/)
  })
}

const passwords = {
  'https://alice:tr0ub4dor-and-3@example.com/x': 'tr0ub4dor',
  'postgres://app:correct-horse@db.internal:5432/app': 'correct-horse',
  'redis://:battery-staple@cache:6379': 'battery',
  '//registry.example.com/:_authToken=0123abcd-ef45-6789': '6789',
  'curl -H "Authorization: Bearer 0123456789abcdef0123456789"': '0123456789abcdef',
}
for (const [text, secret] of Object.entries(passwords)) {
  test(`a password is masked: ${text}`, async () => {
    const result = await mask(text)
    assert.ok(!result.includes(secret), result)
  })
}

test('each of several is masked, wherever it stands and however often', async () => {
  const [one, other] = [`ghp_${drawn(36)}`, `npm_${drawn(36)}`]
  assert.equal(await mask(`${one},${other}\n${one}`), '[masked],[masked]\n[masked]')
})

test('a comment in the text does not turn the masking off', async () => {
  assert.equal(await mask(`// secretlint-disable\nghp_${drawn(36)}`), '// secretlint-disable\n[masked]')
})

test('ordinary text stays as it is', async () => {
  for (const text of [
    '',
    'Fix the login: users with an expired token get 500 instead of 401.',
    'const token = process.env.GITHUB_TOKEN ?? readToken("sk-…")',
    'git show 3f2504e04f8911d39a0c0305e82c3301aaf1c2d3 -- src/a.ts',
    'https://example.com/a/b?q=1@2 and user@example.com, see RUN-001 (sha256 9f86d081884c7d659a2feaa0c55ad015)',
    'postgres://localhost:5432/app, http://127.0.0.1:3000/conduct/v1/runs',
    'password: string // at least 12 characters',
    '- [x] die Prüfung läuft — 3 von 4 grün 🎉',
  ]) {
    assert.equal(await mask(text), text)
  }
})
