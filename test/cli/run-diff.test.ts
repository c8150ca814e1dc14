import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { seed, size } from '../proof/size.ts'
import { conductHere } from './program.ts'
import { claudeIn, onlyRun, syncAll, workplace } from './session.ts'
import { type User, writeFiles } from './user.ts'

type Place = ReturnType<typeof workplace>

/** The tree of the working folder, by an index of its own. */
function treeOf({ cwd, env }: Place): string {
  const index = join(env.HOME, 'index-of-test')
  rmSync(index, { force: true })
  const git = (...words: string[]) =>
    execFileSync('git', words, { cwd, env: { ...process.env, GIT_INDEX_FILE: index }, encoding: 'utf8' }).trim()
  git('add', '-A')
  return git('write-tree')
}

/** The tree after a patch is applied to another. */
function applied({ cwd, env }: Place, tree: string, patch: string): string {
  const index = join(env.HOME, 'index-of-patch')
  rmSync(index, { force: true })
  const git = (words: string[], input?: string) =>
    execFileSync('git', words, { cwd, env: { ...process.env, GIT_INDEX_FILE: index }, encoding: 'utf8', input }).trim()
  git(['read-tree', tree])
  if (patch !== '') git(['apply', '--cached', '--whitespace=nowarn', '-'], patch)
  return git(['write-tree'])
}

const diffOf = async (user: Pick<User, 'env' | 'ledger' | 'cwd'>, ...words: string[]) => {
  const { runId } = await onlyRun(user)
  return conductHere(['run', 'diff', runId, ...words], user.env, user.cwd)
}

/** The files of the only run, as the ledger has them. */
async function filesOf(user: Place, turn?: number) {
  const { runId } = await onlyRun(user)
  return (await (await user.ledger()).getDiff({ runId, limit: 100, ...(turn !== undefined && { turn }) })).files
}

test('the diff of each turn, and of the run, is what the session wrote', async (t) => {
  const user = workplace(t)
  const claude = claudeIn(user.cwd, user.env)
  await claude.prompt('One')
  await claude.write('src/login.ts', 'answer(401)\n')
  await claude.write('notes.txt', 'one\n')
  await claude.stop()
  await claude.prompt('Two')
  await claude.write('notes.txt', 'one\ntwo\n')
  await claude.run('git mv src/login.ts src/sign-in.ts')
  await claude.stop()
  await syncAll(user.env)
  const [first, second, whole] = [await filesOf(user, 1), await filesOf(user, 2), await filesOf(user)]
  assert.deepEqual(
    first.map(({ path, status, patch, insertions, deletions }) => [path, status, insertions, deletions, patch]),
    [
      ['notes.txt', 'added', 1, 0, '@@ -0,0 +1 @@\n+one\n'],
      ['src/login.ts', 'modified', 1, 1, '@@ -1 +1 @@\n-answer(500)\n+answer(401)\n'],
    ],
  )
  assert.deepEqual(
    second.map(({ path, status, from, patch }) => [path, status, from, patch]),
    [
      ['notes.txt', 'modified', undefined, '@@ -1 +1,2 @@\n one\n+two\n'],
      ['src/sign-in.ts', 'renamed', 'src/login.ts', undefined],
    ],
  )
  assert.deepEqual(
    whole.map(({ path, status, turn }) => [path, status, turn]),
    [
      ['notes.txt', 'added', 2],
      ['src/login.ts', 'deleted', 2],
      ['src/sign-in.ts', 'added', 2],
    ],
  )
  const { files } = await (await user.ledger()).listRunFiles({ runId: (await onlyRun(user)).runId, turn: 2 })
  assert.deepEqual(
    files.map(({ path, status }) => [path, status]),
    [
      ['notes.txt', 'modified'],
      ['src/login.ts', undefined],
      ['src/sign-in.ts', 'renamed'],
    ],
  )
  const { stdout } = await diffOf(user, '--stat', '--turn', '2')
  assert.equal(stdout, 'M +1 -0  notes.txt\nR +0 -0  src/login.ts → src/sign-in.ts\n')
  const one = await diffOf(user, 'notes.txt', '--turn', '1')
  assert.match(one.stdout, /^diff --git a\/notes.txt b\/notes.txt\nnew file mode 100644\n/)
})

test('the diff of a run has the files that a later turn brings back from a stash, until they are away again', async (t) => {
  const user = workplace(t)
  const claude = claudeIn(user.cwd, user.env)
  const after = async (work: () => Promise<unknown>) => {
    await claude.prompt('Go')
    await work()
    await claude.stop()
    await syncAll(user.env)
    return (await filesOf(user)).map(({ path, turn, patch }) => [path, turn, patch])
  }
  const write = async () => {
    await claude.write('src/login.ts', 'answer(401)\n')
    await claude.write('notes.txt', 'one\n')
    await claude.run('git stash -qu')
  }
  assert.deepEqual(await after(write), [])
  assert.deepEqual(await after(() => claude.run('git stash pop -q')), [
    ['notes.txt', 2, '@@ -0,0 +1 @@\n+one\n'],
    ['src/login.ts', 2, '@@ -1 +1 @@\n-answer(500)\n+answer(401)\n'],
  ])
  assert.deepEqual(await filesOf(user, 2), [])
  assert.deepEqual(await after(() => claude.run('git stash -qu')), [])
})

const names = ['a.txt', 'src/b c.ts', 'src/ünïcode ✓.md', 'deep/er/"quoted".txt', 'tab\there', 'empty', '-dash', 'c\\d']
const lines = [
  'one',
  'two',
  '  three',
  'é ✓ 𝄞',
  '',
  '-minus',
  '+plus',
  '@@ -1 +1 @@',
  'diff --git a/x b/x',
  '\u2028',
  'a\rb',
]

function randomOf(start: number) {
  let state = start * 2654435761
  const below = (most: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * most)
  }
  const one = <T>(of: readonly T[]) => of[below(of.length)] as T
  const text = () => {
    const eol = one(['\n', '\n', '\r\n'])
    const body = Array.from({ length: below(30) }, () => one(lines)).join(eol)
    return below(4) === 0 ? body : body === '' ? '' : body + eol
  }
  return { below, one, text }
}

/** One random change of the working folder, as a command of a session makes it. */
function edit(cwd: string, { below, one, text }: ReturnType<typeof randomOf>) {
  const [path, other] = [join(cwd, one(names)), join(cwd, one(names))]
  const made = (path: string) => {
    mkdirSync(dirname(path), { recursive: true })
    return path
  }
  const deeds = [
    () => writeFileSync(made(path), text()),
    () => writeFileSync(made(path), text()),
    () => rmSync(path, { force: true }),
    () => writeFileSync(made(path), ''),
    () => renameSync(path, made(other)),
    () => chmodSync(path, one([0o755, 0o644])),
    () => {
      rmSync(path, { force: true })
      symlinkSync(one(['a.txt', 'nowhere/ü']), made(path))
    },
    () => writeFileSync(path, `${text()}more\n`, { flag: 'a' }),
  ]
  try {
    deeds[below(deeds.length)]?.()
  } catch {
    // There is no such file.
  }
}

for (const [commits, command] of [
  [2, 'git reset -q --hard HEAD~1'],
  [1, 'git stash -q'],
  [2, 'git checkout -q HEAD~1 -- notes.txt'],
] as const) {
  test(`the run has the state to which a later turn puts a file back: ${command}`, async (t) => {
    const user = workplace(t)
    const claude = claudeIn(user.cwd, user.env)
    for (const [index, text] of ['one\n', 'one\ntwo\n'].entries()) {
      await claude.prompt(`Write ${text}`)
      await claude.write('notes.txt', text)
      if (index < commits) await claude.run('git add -A && git commit -qm notes')
      await claude.stop()
    }
    await claude.prompt('Put it back')
    await claude.run(command)
    await claude.stop()
    await syncAll(user.env)
    const { changes } = await onlyRun(user)
    assert.deepEqual(changes, { files: 1, insertions: 1, deletions: 0 })
    assert.deepEqual(
      (await filesOf(user)).map(({ path, patch }) => [path, patch]),
      [['notes.txt', '@@ -0,0 +1 @@\n+one\n']],
    )
  })
}

test('a turn that stashes a file and pops it has no lines that others added before', async (t) => {
  const user = workplace(t)
  const claude = claudeIn(user.cwd, user.env)
  await claude.prompt('One')
  await claude.write('notes.txt', 'one\n')
  await claude.stop()
  await syncAll(user.env)
  writeFiles(user.cwd, { 'notes.txt': 'one\nmine\n' })
  await claude.prompt('Two')
  await claude.run('git stash -qu')
  await claude.run('git stash pop -q')
  await claude.stop()
  await syncAll(user.env)
  const { changes } = await onlyRun(user)
  assert.deepEqual(changes, { files: 1, insertions: 1, deletions: 0 })
  assert.deepEqual(
    (await filesOf(user)).map(({ path, turn, patch }) => [path, turn, patch]),
    [['notes.txt', 1, '@@ -0,0 +1 @@\n+one\n']],
  )
})

test('after a rebase onto a renamed file, the diff of the run has only its new name', async (t) => {
  const user = workplace(t)
  const { cwd, git } = user
  const lines = (changed: Record<number, string>) =>
    Array.from({ length: 20 }, (_, at) => `${changed[at] ?? at}\n`).join('')
  writeFiles(cwd, { 'notes.txt': lines({}) })
  git('add', '-A')
  git('commit', '-qm', 'notes')
  git('checkout', '-q', '-b', 'theirs')
  git('mv', 'notes.txt', 'plan.txt')
  git('commit', '-qm', 'rename')
  git('checkout', '-q', 'main')
  const claude = claudeIn(cwd, user.env)
  await claude.prompt('One')
  await claude.write('notes.txt', lines({ 2: 'two' }))
  await claude.run('git commit -qam two')
  await claude.stop()
  await claude.prompt('Two')
  await claude.run('git rebase -q theirs')
  await claude.stop()
  await claude.prompt('Three')
  await claude.write('plan.txt', lines({ 2: 'two', 9: 'nine' }))
  await claude.stop()
  await syncAll(user.env)
  const { changes } = await onlyRun(user)
  assert.deepEqual(
    [changes, (await filesOf(user)).map(({ path, insertions, deletions }) => [path, insertions, deletions])],
    [{ files: 1, insertions: 2, deletions: 2 }, [['plan.txt', 2, 2]]],
  )
})

test('the patch of a run makes the tree at its end of the one before it, byte for byte', async (t) => {
  const user = workplace(t)
  for (let number = 0; number < size(10, 500); number++) {
    const random = randomOf(seed + number)
    for (let count = random.below(6); count > 0; count--) edit(user.cwd, random)
    const before = treeOf(user)
    const claude = claudeIn(user.cwd, user.env, `session-${number}`)
    for (let turn = 1 + random.below(3); turn > 0; turn--) {
      await claude.prompt(`Turn ${turn}`)
      await claude.use('Bash', { command: 'edit' }, () => {
        for (let count = random.below(8); count > 0; count--) edit(user.cwd, random)
      })
      await claude.stop()
    }
    await claude.end()
    await syncAll(user.env)
    const [run] = (await (await user.ledger()).listRuns({ session: claude.session })).runs
    const { code, stdout, stderr } = await conductHere(['run', 'diff', run?.runId ?? '', '--patch'], user.env, user.cwd)
    assert.equal(applied(user, before, stdout), treeOf(user), `${seed + number}: ${stderr}`)
    assert.equal(code, 0, `${seed + number}: ${stderr}`)
  }
})

test('without a diff to show, it says why', async (t) => {
  const user = workplace(t)
  const claude = claudeIn(user.cwd, user.env)
  const told = async (...words: string[]) => (await diffOf(user, ...words)).stderr
  await claude.prompt('One')
  await claude.write('notes.txt', 'one\n')
  await syncAll(user.env)
  for (const words of [[], ['--turn', '1'], ['--patch']]) {
    assert.equal(await told(...words), 'No diff is recorded yet: turn 1 is still open.\n')
  }
  assert.equal(await told('a.txt'), 'No diff of a.txt is recorded yet: turn 1 is still open.\n')
  await claude.stop()
  await claude.prompt('Two')
  await syncAll(user.env)
  assert.equal(await told(), '')
  assert.equal(await told('--turn', '2', '--stat'), 'No diff is recorded yet: turn 2 is still open.\n')
  await claude.stop()
  await syncAll(user.env)
  assert.equal(await told('--turn', '2'), 'No diff is recorded.\n')
  assert.equal(await told('src/'), 'No diff of src/ is recorded.\n')
  assert.match(await told('--turn', '3'), /no turn 3/)
})

test('of a turn with more files than it lists, it says how many have no diff', async (t) => {
  const user = workplace(t)
  const client = await user.ledger()
  const { runId } = (await client.createRun({ status: 'completed' })).run
  await client.appendTurn({ runId, n: 1, files: [{ path: 'a.ts' }], filesOmitted: 1_499, changes: { files: 1_500 } })
  const change = { status: 'modified' as const, patch: '@@ -1 +1 @@\n-a\n+b\n' }
  await client.addDiffs({ runId, turn: 1, diffs: [{ path: 'a.ts', change }] })
  for (const words of [[], ['--stat'], ['--patch'], ['--turn', '1']]) {
    assert.equal(
      (await diffOf(user, ...words)).stderr,
      '1,499 more files changed without a recorded diff.\n',
      `${words}`,
    )
  }
})
