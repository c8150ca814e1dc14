import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { turnDiffs } from '../../src/capture/work/turn-diffs.ts'
import { mask } from '../../src/mask/mask.ts'
import { type DiffInput, diffInput, mostDiff } from '../../src/nouns/run/diff/fields.ts'
import { snapshotOrFault } from '../../src/place/git/tree.ts'
import type { Snapshot } from '../../src/recorder/work.ts'
import { seen, unseen } from '../mask/corpus.ts'
import { formed } from '../mask/secrets.ts'
import { isShown } from '../mask/surroundings.ts'
import { size } from '../proof/size.ts'
import { freshFolder } from './folder.ts'

type Files = Record<string, string | Buffer | null>

/** A repository whose states become the trees of one turn after the other. */
function folder(t: TestContext) {
  const home = freshFolder(t)
  const [cwd, objects] = [join(home, 'work'), join(home, 'objects')]
  mkdirSync(cwd)
  execFileSync('git', ['init', '-q'], { cwd })
  const states: Snapshot[] = []
  const own = new Set<string>()
  const take = () => states.push(snapshotOrFault(cwd, objects, 60_000) as Snapshot)
  return {
    cwd,
    write(files: Files) {
      for (const [path, content] of Object.entries(files)) {
        mkdirSync(dirname(join(cwd, path)), { recursive: true })
        if (content === null) rmSync(join(cwd, path))
        else writeFileSync(join(cwd, path), content)
      }
    },
    take,
    /** The diffs of a turn that writes these files. */
    async turn(files: Files, more: { isWithheld?: boolean; shared?: string[] } = {}): Promise<DiffInput[]> {
      if (states.length === 0) take()
      this.write(files)
      const written = Object.keys(files)
      for (const path of written) own.add(path)
      take()
      const [base, before, after] = [states[0], states.at(-2), states.at(-1)] as [Snapshot, Snapshot, Snapshot]
      const trees = { base: base.tree, before: before.tree, after: after.tree, root: after.root, objects }
      const { isWithheld = false, shared = [] } = more
      const diffs = await turnDiffs({
        ...trees,
        written,
        putBack: [],
        restored: [],
        own: [...own],
        shared,
        sharedSince: shared,
        isWithheld,
      })
      for (const diff of diffs) diffInput.parse(diff)
      return diffs
    },
  }
}

const textOf = (diffs: DiffInput[]) => diffs.map(({ change, whole }) => `${change?.patch}\n${whole?.patch}`).join('\n')

test('a lock file of 5 MB is cut, and what is cut is said', async (t) => {
  const its = folder(t)
  const lock = (version: number) =>
    Array.from(
      { length: 60_000 },
      (_, at) => `    "package-${at}": { "version": "${version}.0.${at}", "dev": true },\n`,
    )
  its.write({ 'package-lock.json': lock(1).join(''), 'a.ts': 'one\n' })
  const diffs = await its.turn({ 'package-lock.json': lock(2).join(''), 'a.ts': 'two\n' })
  const [small, large] = diffs.map(({ change }) => change)
  assert.equal(small?.patch, '@@ -1 +1 @@\n-one\n+two\n')
  const { patch = '', cut, insertions, deletions } = large ?? {}
  assert.deepEqual([insertions, deletions], [60_000, 60_000])
  assert.ok(Buffer.byteLength(patch) <= mostDiff.fileBytes && patch.length > mostDiff.fileBytes - 200)
  const kept = patch.split('\n').length - 2
  assert.equal(kept + (cut?.lines ?? 0), 120_000)
})

test('a turn has at most 2 MiB of diffs, of which small files come first, and 500 files', async (t) => {
  const its = folder(t)
  const text = (bytes: number) => 'line of text\n'.repeat(bytes / 13)
  const large = Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`large/${at}`, text(240_000)]))
  const diffs = await its.turn({ ...large, small: text(1000) })
  const bytes = diffs.reduce((sum, { change }) => sum + Buffer.byteLength(change?.patch ?? ''), 0)
  assert.ok(bytes <= mostDiff.turnBytes && bytes > mostDiff.turnBytes - 300_000, `${bytes}`)
  assert.equal(diffs.find(({ path }) => path === 'small')?.change?.cut, undefined)
  assert.ok(diffs.filter(({ change }) => change?.cut).length >= 3)
  const many = Object.fromEntries(Array.from({ length: size(2_000, 60_000) }, (_, at) => [`many/${at}`, `${at}\n`]))
  assert.equal((await its.turn(many)).length, mostDiff.files)
})

test('binary files, and those that are not UTF-8, have their sizes', async (t) => {
  const its = folder(t)
  const files = {
    'a.png': Buffer.from([1, 0, 2]),
    'latin.txt': Buffer.from('caf\xe9\n', 'latin1'),
    'utf.txt': 'café\n',
  }
  const diffs = await its.turn(files)
  assert.deepEqual(
    diffs.map(({ path, change }) => [path, change?.binary, change?.bytes, change?.patch]),
    [
      ['a.png', true, 3, undefined],
      ['latin.txt', true, 5, undefined],
      ['utf.txt', undefined, undefined, '@@ -0,0 +1 @@\n+café\n'],
    ],
  )
  const [gone] = await its.turn({ 'a.png': null })
  assert.deepEqual([gone?.change?.status, gone?.change?.bytes, gone?.whole], ['deleted', 0, null])
})

test('a diff has no text where the rules leave it out, and says which files another session wrote', async (t) => {
  const its = folder(t)
  const [one, two] = await its.turn({ 'a.ts': 'apple\n', 'b.ts': 'pear\n' }, { isWithheld: true, shared: ['b.ts'] })
  const { before: _, after, ...told } = one?.change ?? {}
  assert.match(after ?? '', /^[0-9a-f]{40}$/)
  assert.deepEqual(told, { status: 'added', mode: '100644', insertions: 1, deletions: 0, withheld: true })
  assert.deepEqual([one?.change?.shared, two?.change?.shared], [undefined, true])
})

test('a secret in the old name of a file is masked, also when the file changes again later', async (t) => {
  const its = folder(t)
  const old = `notes-${formed['GitHub token']}.txt`
  its.write({ [old]: 'one\ntwo\nthree\n' })
  const [renamed] = await its.turn({ [old]: null, 'notes.txt': 'one\ntwo\nthree\n' })
  const [changed] = await its.turn({ 'notes.txt': 'one\ntwo\nfour\n' })
  assert.deepEqual([renamed?.change?.from, changed?.whole?.from], ['notes-[masked].txt', 'notes-[masked].txt'])
})

test('settings and attributes of the repository and its user have no effect', async (t) => {
  const its = folder(t)
  const script = join(its.cwd, 'script.sh')
  writeFileSync(script, `#!/bin/sh\ntouch ${its.cwd}/ran\n`, { mode: 0o755 })
  for (const [name, value] of [
    ['diff.external', script],
    ['diff.own.textconv', script],
    ['diff.own.command', script],
    ['diff.noprefix', 'true'],
    ['diff.context', '0'],
    ['color.diff', 'always'],
  ] as const) {
    execFileSync('git', ['config', name, value], { cwd: its.cwd })
  }
  its.write({ '.gitattributes': '*.ts diff=own\n*.js -diff\n', 'a.ts': 'a\nb\nc\n', 'a.js': 'a\n' })
  const diffs = await its.turn({ 'a.ts': 'a\nB\nc\n', 'a.js': 'b\n' })
  assert.deepEqual(
    diffs.map(({ change }) => change?.patch),
    ['@@ -1 +1 @@\n-a\n+b\n', '@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n'],
  )
  assert.throws(() => execFileSync('cat', [join(its.cwd, 'ran')], { stdio: 'pipe' }))
})

test('no secret that is masked elsewhere is in a diff, new, changed or beside a change', async (t) => {
  const its = folder(t)
  const forms = Object.entries(formed).map(([, secret]): [string, string] => [`key = "${secret}"`, secret])
  const corpus = [...seen, ...unseen, ...forms]
  const fileOf = (text: string, last: string) => `First line.\n${text}\n${last}\n`
  const files = (last: string) => Object.fromEntries(corpus.map(([text], at) => [`f/${at}.txt`, fileOf(text, last)]))
  const known = await Promise.all(corpus.map(async ([text, secret]) => isShown(await mask(fileOf(text, 'x')), secret)))
  const shownIn = (diffs: DiffInput[]) =>
    corpus.flatMap(([text, secret], at) => {
      const own = diffs.filter(({ path }) => path === `f/${at}.txt`)
      return isShown(textOf(own), secret) && !known[at] ? [text] : []
    })
  assert.ok(known.filter(Boolean).length < corpus.length / 20)
  assert.deepEqual(shownIn(await its.turn(files('x'))), [])
  assert.deepEqual(shownIn(await its.turn(files('y'))), [])
  const [first] = await its.turn({ 'f/0.txt': 'First line.\n' })
  assert.equal(first?.change?.masked, true)
})

test('a private key of which one line changes is masked as a whole', async (t) => {
  const its = folder(t)
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 4096 })
  const key = String(privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const lines = key.split('\n')
  const text = (line: string) =>
    `${'// code\n'.repeat(300)}${[...lines.slice(0, 25), line, ...lines.slice(26)].join('\n')}`
  its.write({ 'key.ts': text(lines[25] as string) })
  const [diff] = await its.turn({ 'key.ts': text(`${lines[25]?.slice(0, 60)}AAAA`) })
  assert.equal(diff?.change?.masked, true)
  for (const line of lines.slice(1, -2)) assert.ok(!textOf([diff as DiffInput]).includes(line))
})

test('a private key between two changes is masked beside both, however far apart they are', async (t) => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 4096 })
  const key = String(privateKey.export({ type: 'pkcs8', format: 'pem' })).trimEnd()
  for (const gap of [40, 80, 110, 140]) {
    const its = folder(t)
    const text = (word: string) => `${word}\n${'// code\n'.repeat(gap)}${key}\n${word}\n`
    its.write({ 'key.ts': text('old') })
    const diffs = await its.turn({ 'key.ts': text('new') })
    assert.match(textOf(diffs), /^ \[masked\]\n-old\n\+new$/m, `${gap} lines`)
    for (const line of key.split('\n').slice(1, -1)) assert.ok(!textOf(diffs).includes(line), `${gap} lines`)
  }
})
