import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mask } from '../../src/mask/mask.ts'
import { size } from '../proof/size.ts'
import { assertLinear, mebibyte } from '../support/linear.ts'

const letters = 'k7Qw2ZrT9xBn4LsVd8MfYh3JcPg6RaUe5XtHb1WmKjNvSyDzCqFoGpEiAuOl'

/** The input on which each rule wastes most time: beginnings of matches, with or without much text after each. */
const worst: Record<string, string> = {
  'JSON Web Tokens': 'eyJ-',
  'JSON Web Tokens with a second part': 'eyJaaaaaaaaaa.',
  'second parts of JSON Web Tokens': '.eyJ',
  'npm settings': '_authToken=a\n',
  'GitHub tokens': `ghp_${letters.slice(0, 36)} `,
  'GitHub app tokens': `${'ghs_1_'.repeat(160)}.${'ghs_1_'.repeat(1600)}`,
  'beginnings of private keys': '-----BEGIN PRIVATE KEY-----\nAAAA',
  'private keys of many words': '-----BEGIN A ',
  'ends of private keys': '-----BEGIN PRIVATE KEY-----\n-----END A A ',
  'SendGrid keys': `-SG.a.${'a'.repeat(300)}`,
  addresses: 'https://a:',
  'user names': '://a',
  'OpenAI keys': 'sk-',
  'Slack tokens': 'xoxb-1-',
  bearers: 'Bearer ',
  'Basic authorization': 'authorization: basic ',
  'mysql and blanks': 'mysql -p ',
  'users of curl': ' -u a',
  'names without values': 'password',
  'names and quotes': 'password="',
  'names and other quotes': `password='password="`,
  'names and suffixes': 'token_key_key_key_',
  'names and signs': 'password = ',
  'names and blanks': `password${' '.repeat(20)}`,
  settings: `A_PASSWORD=${letters} `,
  flags: '--token ',
  cookies: 'cookie: a=',
  'names of cookies': `cookie: ${'sid-'.repeat(400)}`,
  'cookies of curl': 'curl -b ',
  'two arguments': `"API_KEY", "`,
  'names and values': `password,${' '.repeat(60)}`,
  'values of names': 'token value: a',
  'typed names': 'password: string = ',
  setters: 'setPassword("a',
  'what is taken otherwise': 'PASSWORD || "',
  'headers without a scheme': 'authorization: a1aaaaaaa',
  'signed headers': 'authorization: Digest a response="a',
  'addresses of Go': 'a:aaa',
  'lines of .pgpass': 'a:5432:a:a:',
  'lines of .netrc': 'machine a login a password ',
  'settings of Redis': 'requirepass ',
  SQL: `with password '`,
  'pipes into sudo': 'echo aaaa',
  'ends of pipes': 'echo aaaa | --password-stdi',
  'here strings': 'sudo -S <<< a',
  'users of htpasswd': 'htpasswd -b a a ',
  'users of Samba': ' -U a%',
  'users of Oracle': 'sqlplus a/',
  'options of commands': 'ldapsearch -w ',
  'logins of Vault': 'vault login a',
  'signed addresses': '?sig=',
  'hashes of passwords': '$6$aaaa$',
  'hashes of Argon2': '$argon2id$v=19$m=1$',
  'keys of Airtable': 'patAAAAAAAAAAAAAA.',
  'keys of Telegram': '4719203856:AA',
  'cookies without end': `Cookie: ${'a=b; '.repeat(2_000)}`,
  'logins and blanks': 'login -p ',
  'redis-cli and blanks': 'redis-cli -a ',
  'users in quotes': ' -u "a:',
  'users of http': 'http -a a',
  'docker settings': '"auth":"aaaaaaaa',
  'elements of XML': '<password>',
  'tokens for users': 'https://a1',
  entries: 'password: a\n',
  keys: 'a_key=',
  'keys of Conduct': 'sk_admin_',
  'escape sequences': '\x1b[',
  'colours that do not end': '\x1b[1;1;1;1;1;1;1;1;1;1;1;1;1;1;',
  'colours in every place': 'p\x1b[0m',
  'colours as JSON has them': String.raw`\u001b[0`,
  'characters of JSON': String.raw`\u0041\n`,
  'characters of addresses': '%41',
  blanks: ' ',
  'line ends': '\n',
  'one letter': 'a',
  quotes: '"',
  colons: ':',
}

const longest = size(mebibyte / 4, mebibyte)

for (const [name, part] of Object.entries(worst)) {
  test(`${longest / 1024} KiB of ${name} are masked in linear time`, () => {
    const shape = (length: number) => part.repeat(Math.ceil(length / part.length)).slice(0, length)
    return assertLinear([shape], async (text) => assert.ok((await mask(text)).length > 0), longest)
  })
}
