import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { names } from '../scripts/release/names.ts'
import { statusOf } from '../src/contract/error.ts'
import { statuses, verdicts } from '../src/nouns/run/state.ts'
import { evidences } from '../src/nouns/run/verdict/evidence.ts'
import { settings } from '../src/place/setting.ts'
import { freshFolder } from './cli/folder.ts'
import { main } from './support/program.ts'
import { adminKey, openServer } from './support/server.ts'
import { assertShows } from './support/shown.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: root })

test('every setting is documented, and every documented setting exists', () => {
  const page = read('docs/settings.md')
  for (const { env, flag, fallback } of Object.values(settings)) {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${env}\` |`))
    assert.ok(row, `${env} has no row`)
    assert.ok(flag ? row.includes(`| \`${flag}\` |`) : row.includes('| none |'), `${env}: another flag`)
    // The default of the database depends on the machine.
    if (fallback !== '' && env !== settings.databaseUrl.env)
      assert.ok(row.includes(`| \`${fallback}\` |`), `${env}: another default`)
  }
  const client = ['CONDUCT_URL', 'CONDUCT_API_KEY', 'CONDUCT_PROJECT', 'CONDUCT_RUN_ID', 'CONDUCT_TEST_ENGINES']
  const known = [...Object.values(settings).map(({ env }) => env), ...client]
  for (const path of pages) {
    const unknown = (read(path).match(/\bCONDUCT_[A-Z_]+/g) ?? []).filter((name) => !known.includes(name))
    assert.deepEqual(unknown, [], path)
  }
})

test('every error code is documented with its status', () => {
  const page = read('docs/errors.md')
  for (const [code, status] of Object.entries(statusOf)) assert.ok(page.includes(`| ${status} | ${code} |`), code)
})

test('the glossary has every status, verdict and kind of evidence', () => {
  const page = read('docs/glossary.md')
  for (const word of [...statuses, ...verdicts, ...evidences]) assert.ok(page.includes(`\`${word}\``), word)
})

test('the README has at most 900 words', () => {
  assert.ok(read('README.md').split(/\s+/).filter(Boolean).length <= 900)
})

/** The anchors of a page, as GitHub names them. */
const anchorsOf = (text: string) =>
  (text.match(/^#+ .*$/gm) ?? []).map((line) =>
    line
      .replace(/^#+ /, '')
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )

test('every relative link has a target', () => {
  const dead = pages.flatMap((path) =>
    [...read(path).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => {
        const [file = '', anchor] = target.split('#')
        const there = file === '' ? path : join(dirname(path), file)
        return !existsSync(join(root, there)) || (anchor !== undefined && !anchorsOf(read(there)).includes(anchor))
      })
      .map((target) => `${path}: ${target}`),
  )
  assert.deepEqual(dead, [])
})

test('no page claims what nobody has published', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string }
  const claims: [claimed: RegExp, isTrue: boolean][] = [
    [
      /npm (?:install|i|add)(?: -\S+)* conduct-ledger\b(?!\S*\.tgz)|npx (?:-\S+ )*conduct|npm\.im|npmjs\.com/,
      !!names.npm,
    ],
    [/\b(?:ghcr|docker|quay)\.io\/\S*conduct|\b(?:docker|podman) pull\b/, !!names.image],
    [/github\.com\/[^/\s]+\/conduct\b/, !!names.repository],
    [/plugin (?:marketplace add|install) [\w-]+\/[\w-]+|brew install/, !!names.marketplace],
  ]
  const files = [...pages, ...globSync(['deploy/**/*.*', '.github/**/*.*', 'plugins/**/*.*'], { cwd: root })]
  for (const path of files) {
    const text = read(path)
    for (const [claimed, isTrue] of claims) assert.ok(isTrue || !claimed.test(text), `${path}: ${claimed.exec(text)}`)
    for (const [tarball, named] of text.matchAll(/conduct-ledger-(\d[\w.-]*)\.tgz/g)) {
      assert.equal(named, version, `${path}: ${tarball}`)
    }
  }
})

test('the index links to every page of the documentation', () => {
  const index = read('docs/README.md')
  const others = globSync('docs/*.md', { cwd: root }).filter((path) => path !== 'docs/README.md')
  const missing = others.filter((path) => !index.includes(`](${path.replace('docs/', '')})`))
  assert.deepEqual(missing, [])
})

// The tests run blocks of the language sh; a block of json after one shows a part of its output. Blocks of the language
// console are only for reading: they start a server, or contain a placeholder. Pages whose examples build on each other
// (test/examples.test.ts, test/cli/docs.test.ts) and the page that needs a local database (test/cli/backup.test.ts)
// have tests of their own.
const elsewhere = ['docs/api.md', 'docs/cli.md', 'docs/backup.md']
const pagesOfCommands = pages.filter((path) => !elsewhere.includes(path) && /^```sh$/m.test(read(path)))
for (const path of pagesOfCommands) {
  test(`the commands of ${path} work one after the other`, async (t) => {
    const { url } = await openServer(t)
    const { origin } = new URL(url)
    const home = freshFolder(t)
    const own = { HOME: home, XDG_CONFIG_HOME: home, XDG_STATE_HOME: home }
    const programs = join(home, 'programs')
    mkdirSync(programs)
    writeFileSync(join(programs, 'conduct'), `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`, { mode: 0o755 })
    const PATH = [programs, process.env.PATH].join(delimiter)
    const env = { ...process.env, ...own, PATH, CONDUCT_URL: url, CONDUCT_API_KEY: adminKey }
    writeFileSync(join(home, 'package.json'), '{ "scripts": { "test": "node --version" } }')
    const blocks = [...read(path).matchAll(/^```(sh|json)\n([\s\S]*?)^```$/gm)]
    let answer = ''
    for (const [, language, text = ''] of blocks) {
      if (language === 'json') {
        assertShows(JSON.parse(text), JSON.parse(answer), path)
        continue
      }
      const script = `curl() { command curl -sS --fail-with-body "$@"; }\n${text.replaceAll('http://localhost:3000', origin)}`
      const { stdout } = await run('sh', ['-e', '-c', script], { env, cwd: home }).catch((error) =>
        assert.fail(`${text}${error.stdout}${error.stderr}`),
      )
      answer = stdout
    }
  })
}

test('no message names a file of the docs, which may be anywhere', () => {
  const isComment = (line: string) => /^\s*(?:\/?\*|\/\/)/.test(line)
  const naming = globSync(['src/**/*.{ts,tsx}', 'bin/*.cjs'], { cwd: root }).flatMap((file) =>
    read(file)
      .split('\n')
      .filter((line) => !isComment(line) && /\bdocs\/\S+\.md/.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  )
  assert.deepEqual(naming, [])
})
