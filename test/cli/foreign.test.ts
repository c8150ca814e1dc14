import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freshFolder, homeOf } from './folder.ts'
import { conductHere } from './program.ts'
import { trappedFolder, traps } from './traps.ts'

/** The longest that a hook may take, in milliseconds, and by how much a folder may raise the peak of memory, in KiB. */
const most = { ms: 8_000, kib: 51_200 }

/** Traps that git itself springs with an ordinary command. */
const sprung = [
  'every setting and hook that runs a program',
  'a filter with = in its name',
  'a file system monitor',
  'hooks in a folder of the work',
  'settings in an included file',
  'settings of one working tree',
  'a bare repository in a clone',
  'a submodule with programs of its own',
]

test('git itself springs the traps', (t) => {
  const home = freshFolder(t)
  for (const [at, name] of sprung.entries()) {
    const folder = trappedFolder(home, `trap-${at}`)
    const cwd = traps[name]?.(folder)
    // It fails when what it runs is no monitor or no filter.
    spawnSync('git', ['status'], { cwd: typeof cwd === 'string' ? cwd : folder.cwd })
    spawnSync('git', ['add', '-A'], { cwd: typeof cwd === 'string' ? cwd : folder.cwd })
    assert.notDeepEqual(folder.marks(), [], name)
  }
})

test('in a folder from elsewhere, nothing of it runs, and no hook hangs or takes much memory', (t) => {
  const home = freshFolder(t)
  const plain = trappedFolder(home, 'plain')
  const made = Object.entries(traps).map(([name, set], at) => {
    const folder = trappedFolder(home, `trap-${at}`)
    const cwd = set(folder)
    return { name, folder, cwd: typeof cwd === 'string' ? cwd : folder.cwd }
  })
  assert.ok(made.length >= 30)
  const folders = [plain.cwd, plain.cwd, ...made.map(({ cwd }) => cwd)]
  const env = { ...homeOf(home), CONDUCT_DATABASE_URL: `sqlite:${join(home, 'conduct.db')}` }
  const child = fileURLToPath(new URL('trap-hooks.ts', import.meta.url))
  const input = JSON.stringify({ env, folders })
  const printed = execFileSync(process.execPath, [child], { env: { ...process.env, ...env }, input, encoding: 'utf8' })
  const [first, usual, ...taken] = JSON.parse(printed) as { ms: number; kib: number }[]
  assert.ok(first && usual)
  // On a busy machine, every hook takes longer.
  const slack = 2 * Math.max(0, usual.ms - 200)
  const faults = made.flatMap(({ name, folder }, at) => {
    const { ms = 0, kib = 0 } = taken[at] ?? {}
    const before = (taken[at - 1] ?? usual).kib
    return [
      ...folder.marks().map((mark) => `${name}: ${mark}`),
      ...(ms > most.ms + slack ? [`${name}: ${Math.round(ms)} ms, usually ${Math.round(usual.ms)}`] : []),
      ...(kib > before + most.kib ? [`${name}: ${kib - before} KiB more`] : []),
    ]
  })
  assert.deepEqual(faults, [])
})

test('no command hangs on the files of such a folder', async (t) => {
  const home = freshFolder(t)
  const env = { ...homeOf(home), CONDUCT_DATABASE_URL: `sqlite:${join(home, 'conduct.db')}` }
  const names = Object.keys(traps).filter((name) => /^an? (?:conduct\.json|\.git|index|HEAD|branch)/.test(name))
  assert.ok(names.length > 10)
  for (const [at, name] of names.filter((name) => !name.includes('gitignore') && !name.includes('gitattr')).entries()) {
    const folder = trappedFolder(home, `trap-${at}`)
    traps[name]?.(folder)
    for (const words of [['doctor'], ['status'], ['init', '--dry-run'], ['exec', '--', 'true']]) {
      const began = performance.now()
      await conductHere(words, env, folder.cwd)
      const ms = performance.now() - began
      assert.ok(ms < 8_000, `${words.join(' ')} with ${name}: ${Math.round(ms)} ms`)
    }
  }
})
