import { generateKeyPairSync } from 'node:crypto'
import { newSecret } from '../../src/contract/secret.ts'

const letters = 'k7Qw2ZrT9xBn4LsVd8MfYh3JcPg6RaUe5XtHb1WmKjNvSyDzCqFoGpEiAuOl'
/**
 * Text of that length that looks random. The fake secrets are put together here, so that no scanner reports this file.
 */
export const drawn = (length: number) => letters.repeat(Math.ceil(length / letters.length)).slice(0, length)
const digits = (length: number) => '4719203856'.repeat(2).slice(0, length)
const hex = (length: number) => '9f86d081884c7d659a2feaa0c55ad015'.repeat(4).slice(0, length)
const base64 = (text: string) => Buffer.from(text).toString('base64')

/** Secrets with a form of their own. */
export const formed: Record<string, string> = {
  'AWS key id': `AKIA${drawn(40)
    .toUpperCase()
    .replace(/[^A-Z]/g, '')
    .slice(0, 16)}`,
  'GitHub token': `ghp_${drawn(36)}`,
  'GitHub server token': `ghs_${drawn(36)}`,
  'GitHub fine-grained token': `github_pat_${drawn(22)}_${drawn(59)}`,
  'GitLab token': `glpat-${drawn(20)}`,
  'GitLab runner token': `glrt-${drawn(20)}`,
  'GitLab runner token of a project': `glrt-t1_${drawn(20)}`,
  'GitLab deploy token': `gldt-${drawn(20)}`,
  'Google client secret': `GOCSPX-${drawn(28)}`,
  'Notion secret': `secret_${drawn(43)}`,
  'age key': `AGE-SECRET-KEY-1${hex(58).toUpperCase()}`,
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
  'Groq key': `gsk_${drawn(52)}`,
  'Linear key': `lin_api_${drawn(40)}`,
  'Grafana token': `glsa_${drawn(32)}_${hex(8)}`,
  'Shopify token': `shpat_${hex(32)}`,
  'Docker token': `dckr_pat_${drawn(27)}`,
  'Vault token': `hvs.${drawn(95)}`,
  'Databricks token': `dapi${hex(32)}`,
  'Figma token': `figd_${drawn(43)}`,
  'JSON Web Token': `eyJ${drawn(30)}.eyJ${drawn(40)}.${drawn(43)}`,
  'private key': generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString().trim(),
  'private key, cut off': `-----BEGIN OPENSSH PRIVATE KEY-----\n${drawn(64)}\n${drawn(30)}`,
  'server key of Conduct': newSecret(['admin']),
  'agent key of Conduct': newSecret(['agent']),
}

/** Secrets that the words before them identify: the text, and the secret in it. */
export const named: [text: string, secret: string][] = [
  [`export AWS_SECRET_ACCESS_KEY="${drawn(40)}"`, drawn(40)],
  ['DB_PASSWORD=tr0ub4dor-and-3', 'tr0ub4dor'],
  ['git clone https://ci:gran/ite@git.example.com/a.git', 'ite'],
  ['amqp://guest:sw/ord/fish@mq/', 'ord'],
  ['DB_PASS=swordfish', 'swordfish'],
  ['POSTGRES_PASSWORD=mysecretpassword', 'mysecretpassword'],
  ['PGPASSWORD=swordfish psql -h db', 'swordfish'],
  ['export MYSQL_PWD=swordfish', 'swordfish'],
  ["SMTP_PASSWORD='cor;rect(horse'", 'cor;rect(horse'],
  [`SECRET_KEY_BASE=${hex(64)}`, hex(64)],
  [`STRIPE_WEBHOOK_SECRET=whsec_${drawn(32)}`, drawn(32)],
  ['REDIS_PASSWORD=a&b;c', 'a&b;c'],
  ['NODE_ENV=production\nJWT_SECRET=dontTellAnyone\nPORT=3000', 'dontTellAnyone'],
  ['password: hunter22', 'hunter22'],
  ['  password: correct-horse-battery', 'correct-horse'],
  ['"password": "swordfish"', 'swordfish'],
  ["'api_key': 'abcd1234efgh'", 'abcd1234efgh'],
  [`api_key="${hex(32)}"`, hex(32)],
  [`apiKey: ${hex(32)}`, hex(32)],
  [`clientSecret = '${drawn(20)}'`, drawn(20)],
  [`client_secret=${drawn(20)}&grant_type=refresh`, drawn(20)],
  [`access_token=${drawn(20)}`, drawn(20)],
  [`X-Api-Key: ${drawn(24)}`, drawn(24)],
  [`Authorization: Basic ${base64('alice:tr0ub4dor')}`, base64('alice:tr0ub4dor')],
  ['curl -H "Authorization: Bearer 0123456789abcdef0123456789"', '0123456789abcdef'],
  ['curl -u alice:tr0ub4dor localhost', 'tr0ub4dor'],
  ['curl --user alice:tr0ub4dor localhost', 'tr0ub4dor'],
  ['mysql -u root -ptr0ub4dor app', 'tr0ub4dor'],
  ['sshpass -p tr0ub4dor ssh host', 'tr0ub4dor'],
  ['docker login --username a --password tr0ub4dor', 'tr0ub4dor'],
  [`deploy --token=${drawn(20)} now`, drawn(20)],
  [`vercel --token ${drawn(24)}`, drawn(24)],
  ['https://alice:tr0ub4dor-and-3@example.com/x', 'tr0ub4dor'],
  ['postgres://app:correct-horse@db.internal:5432/app', 'correct-horse'],
  ['redis://:battery-staple@cache:6379', 'battery'],
  ['mongodb+srv://app:swordfish@cluster0.example.net/app', 'swordfish'],
  ['//registry.example.com/:_authToken=0123abcd-ef45-6789', '6789'],
  ['//registry.example.com/:_authToken=abc123', 'abc123'],
  [`//registry.example.com/:_auth=${base64('alice:tr0ub4dor')}`, base64('alice:tr0ub4dor')],
  [`https://example.com/hook?token=${drawn(20)}&x=1`, drawn(20)],
]
