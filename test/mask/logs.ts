/** Output of a working day without a secret in it. The lines have different numbers, names and ids. */
export function ordinaryLogs(length: number): string {
  const next = random(7)
  const pick = <T>(of: readonly T[]) => of[Math.floor(next() * of.length)] as T
  const number = (most: number) => Math.floor(next() * most)
  const hex = (digits: number) => Array.from({ length: digits }, () => number(16).toString(16)).join('')
  const context = { pick, number, hex, word: () => pick(words), path: () => `${pick(folders)}/${pick(words)}` }
  const lines: string[] = []
  for (let size = 0; size < length; ) {
    const line = pick(tools)(context)
    lines.push(line)
    size += line.length + 1
  }
  return lines.join('\n')
}

/** A sequence of numbers from 0 to 1 that is the same each time (mulberry32). */
function random(seed: number) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

interface Context {
  pick<T>(of: readonly T[]): T
  number(most: number): number
  hex(digits: number): string
  word(): string
  path(): string
}

const words = ['auth', 'login', 'token', 'session', 'password', 'secret', 'user', 'api_key', 'config', 'cart', 'parser']
const folders = [
  'src',
  'src/auth',
  'test/unit',
  'packages/core/lib',
  'node_modules/.cache',
  'tests',
  'crates/server/src',
]

const tools: ((context: Context) => string)[] = [
  // npm
  ({ word, number }) =>
    `npm warn deprecated ${word()}-utils@${number(9)}.${number(20)}.${number(9)}: Use the platform's own`,
  ({ number }) => `added ${number(900)} packages, and audited ${number(2000)} packages in ${number(60)}s`,
  ({ word, hex }) =>
    `npm http fetch GET 200 https://packages.example.com/${word()}/-/${word()}-1.${hex(1)}.0.tgz 142ms (cache hit)`,
  ({ hex }) => `    "integrity": "sha512-${hex(40)}${hex(40)}==",`,
  () =>
    'npm error code E401\nnpm error Incorrect or missing password.\nnpm error If you were trying to log in, change your password',
  // pytest
  ({ path, word, number }) =>
    `${path()}_test.py::test_${word()}_is_valid[token=${number(100)}] PASSED [ ${number(100)}%]`,
  ({ path, number }) =>
    `E   AssertionError: assert 'token' == 'password'\n\n${path()}.py:${number(400)}: AssertionError`,
  ({ number }) =>
    `========== ${number(9)} failed, ${number(400)} passed, ${number(9)} skipped in ${number(60)}.${number(99)}s ==========`,
  ({ word }) => `FAILED tests/test_${word()}.py::test_password - KeyError: 'password'`,
  // cargo, go, tsc
  ({ word, number }) =>
    `   Compiling ${word()}-derive v${number(3)}.${number(30)}.${number(9)} (/app/crates/${word()})`,
  ({ path, number }) =>
    `error[E0308]: mismatched types\n  --> ${path()}.rs:${number(900)}:${number(80)}\n   | expected token: \`Token\`, found \`&str\``,
  ({ path, number, word }) => `test ${path().replaceAll('/', '::')}::${word()} ... ok (${number(90)} ms)`,
  ({ path, number }) =>
    `${path()}.ts(${number(900)},${number(80)}): error TS2322: Type 'string' is not assignable to type 'Token'.`,
  ({ path, number, word }) =>
    `${path()}.ts:${number(300)}:${number(90)} - error TS2339: Property '${word()}' does not exist on type '{ password: string; token: string | undefined; }'.`,
  ({ path, number }) => `ok  \tgithub.com/acme/${path()}\t0.${number(999)}s\tcoverage: ${number(100)}.0% of statements`,
  // git
  ({ hex }) => `commit ${hex(40)}\nAuthor: Alice <alice@example.com>\nDate:   Tue Nov 24 10:11:12 2026 +0100`,
  ({ hex, path }) => `diff --git a/${path()}.ts b/${path()}.ts\nindex ${hex(7)}..${hex(7)} 100644`,
  ({ path, number }) => ` ${path()}.ts | ${number(90)} ++++++++-----`,
  ({ hex, word }) => `${hex(7)} Ask for the password again when the ${word()} is old (#${hex(3)})`,
  ({ hex }) =>
    `remote: Resolving deltas: 100% (${hex(2)}/${hex(2)}), done.\nTo github.com:acme/app.git\n   ${hex(7)}..${hex(7)}  main -> main`,
  // source code and settings
  () => 'const token = process.env.GITHUB_TOKEN ?? readToken(options.tokenFile)',
  () => '  password: z.string().min(12),\n  token: Token,\n  secret: Buffer | undefined',
  ({ word }) => `    def __init__(self, ${word()}, password=None, token: str = "", api_key=os.environ["API_KEY"]):`,
  () =>
    '        self.password = password\n        self.client = connect(user=user, password=self.password, token=settings.TOKEN)',
  ({ word }) =>
    `  env:\n    GITHUB_TOKEN: \${{ secrets.GITHUB_TOKEN }}\n    DB_PASSWORD: \${DB_PASSWORD}\n    NAME: ${word()}`,
  () =>
    '  --password string   the password of the registry\n  --token <token>     a token that may read\n  --secret id=NAME    a secret of the build',
  () =>
    'usage: deploy [-h] [--token TOKEN] [--password PASSWORD]\ndeploy: error: argument --token: expected one argument',
  () => '{"errors":{"password":"must be at least 12 characters","token":"required"},"secret":null}',
  () => 'password = getpass.getpass("Password: ")\nsecret = crypto.randomBytes(32).toString("hex")',
  ({ number }) =>
    `{"level":30,"max_tokens":${number(9000)},"input_tokens":${number(9000)},"token":null,"tokenCount":${number(9000)}}`,
  () => "  styles = { Token: '#dddddd', Keyword: 'bold' }\n  { default_token: 'Bearer', leaseToken: 'Lease-Token' }",
  // servers
  ({ number, path, hex }) =>
    `10.0.0.${number(255)} - - [24/Nov/2026:10:11:${number(60)} +0000] "GET /${path()}?page=${number(90)}&q=token HTTP/1.1" 200 ${number(9000)} "-" "curl/8.${hex(1)}"`,
  ({ hex, number }) =>
    `{"time":"2026-11-24T10:11:12.${number(999)}Z","requestId":"${hex(8)}-${hex(4)}-${hex(4)}-${hex(4)}-${hex(12)}","msg":"token: refreshed"}`,
  ({ number }) => `listening on http://127.0.0.1:${number(60_000)}/conduct (pid ${number(99_999)})`,
  ({ hex }) => `#12 [build 4/7] RUN npm ci\n#12 sha256:${hex(64)} 3.37MB / 3.37MB 0.4s done`,
  ({ number }) => `docker run --rm -u ${number(2000)}:${number(2000)} -v /src:/src -p 8080:80 node:24 npm test`,
  () => 'Invalid token: unexpected end of input; did you forget your password? Enter password:',
  () => 'PWD=/home/alice/app\nOLDPWD=/home/alice\nTERM=xterm-256color\nSSH_AUTH_SOCK=/tmp/ssh-1/agent.1',
  () => 'postgres://localhost:5432/app, redis://cache:6379/0, user@example.com, git@github.com:acme/app.git',
  // texts that look like a secret
  ({ word }) =>
    `password:\n  type: string\n  minLength: 12\n${word()}: required\n    password: required\n  type: password`,
  ({ word }) => `time=2026-11-24T10:11:12Z level=info msg="login ok" user=${word()} auth=password realm=${word()}`,
  () => '  --password TEXT      Password of the registry.  [env var: DB_PASSWORD]\n  -p, --port PORT      the port',
  ({ number }) =>
    `redis-cli -p ${number(9000)} ping && docker login registry.example.com && docker run -p ${number(9000)}:80 app`,
  ({ hex }) => `CACHE_KEY=node-modules-${hex(16)} PUBLIC_KEY=${hex(40)} SORT_KEY=created_at key=${hex(8)}`,
  ({ number }) =>
    `Set-Cookie: lang=en; Path=/; Max-Age=${number(90_000)}; Expires=Wed, 21 Oct 2026 07:28:00 GMT; SameSite=Lax`,
  () =>
    'Authorization: Bearer <token>\nAuthorization: Bearer $TOKEN\nAuthorization: Bearer token\nauthorization: Basic ...',
  () => 'curl -u "$USER:$PASS" https://example.com; psql "host=db user=app"; mysql -u root -p app < dump.sql',
  ({ word }) => `interface Login {\n  password: string;\n  passwordHash: Buffer;\n  token?: ${word()}.Token;\n}`,
  () => '{"auth":"required","password":{"type":"string"},"access_token":null,"tokens":["a","b"],"auth":"basicauth"}',
  ({ number }) =>
    `primary key=${number(9000)} foreign_key=${number(9000)} token_count=${number(9000)} password_attempts=${number(9)}`,
  () =>
    'https://user@example.com/a, ssh://git@github.com/acme/app.git, https://deploy-user-of-the-team@example.com/x.git',
  () => `<password>\${env.DB_PASSWORD}</password> <token/> <secret></secret> <input type="password" name="password">`,
  // texts that newer rules could read as a pair, a command or a key
  ({ number }) => `password: required\ntoken count: ${number(9000)}\ntokens: ${number(9000)} in, ${number(900)} out`,
  ({ hex }) =>
    `session ${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)} md5 ${hex(32)} sha1 ${hex(40)} sha256 ${hex(64)}`,
  ({ number, word }) => `- name: ${word()}\n  value: "${number(99)}"\n- name: TOKEN_TTL\n  value: 3600`,
  () =>
    "  expect(errors).toEqual(['password', 'token'])\n  for (const field of ['password', 'passphrase']) drop(field)",
  () => '  <input name="password" value="" type="password"> <input name="token" value="Log in">',
  () =>
    "  const password: string = ''\n  const token: Token = read()\n  setToken(token)\n  setPassword(event.target.value)",
  () => "  const token = process.env.TOKEN ?? ''\n  const secret = options.secret || config.secret",
  ({ number }) =>
    `  zip -r a.zip dist; openssl version; ssh-keygen -t ed25519 -N "" -f key; ldapsearch -x -p ${number(9000)}`,
  ({ number }) =>
    `  psql -U app -p ${number(9000)}; 7z x a.7z; redis-cli -n ${number(16)}; echo done | sudo tee /tmp/a`,
  ({ word, number }) => `  cookie: accepted, ${word()}=1; theme=dark; lang=en; page=${number(99)}`,
  ({ word, number, path }) =>
    `${path()}.ts:${number(900)}:${number(80)}:${word()}: warning\n00:1a:2b:${number(9)}c:4d:5e up`,
  () => 'with password authentication; identified by its id; password for alice is required; login with password',
  () =>
    'GET /a?sig=1&page=2 HTTP/1.1\nauthorization: required\nAuthorization: none\nauthorization, cookies and caching',
  ({ hex, number }) =>
    `key-value store: key-${hex(6)}, task-${number(999)}, cio-${hex(4)}, pull-${hex(8)}, r8_${hex(6)}, $1 $2 $${number(9)}`,
  // tests of JavaScript
  ({ word, number }) => `    ✓ rejects a wrong ${word()} (${number(90)} ms)`,
  ({ number, hex }) =>
    `# tests ${number(900)}\n# pass ${number(900)}\n# fail 0\n# duration_ms ${number(9000)}.${hex(2)}`,
  ({ path, word, number }) => `    at ${word()}.verify (/app/${path()}.js:${number(900)}:${number(80)})`,
]
