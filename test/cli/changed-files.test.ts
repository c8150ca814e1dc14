import assert from 'node:assert/strict'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { conductHere } from './program.ts'
import { claudeIn, onlyRun, syncAll, turnsOf, workplace } from './session.ts'
import { writeFiles } from './user.ts'

type Claude = ReturnType<typeof claudeIn>
type Work = (claude: Claude) => Promise<unknown>

/** The only run, and its turns, after each of these became a turn. */
async function after(user: ReturnType<typeof workplace>, ...turns: Work[]) {
  const claude = claudeIn(user.cwd, user.env)
  for (const work of turns) {
    await claude.prompt('Go')
    await work(claude)
    await claude.stop()
  }
  await syncAll(user.env)
  const { runId, changes } = await onlyRun(user)
  const { files } = await (await user.ledger()).listRunFiles({ runId })
  return { changes, turns: await turnsOf(user), paths: files.map(({ path }) => path).sort() }
}

test('of more files than a turn lists, it says how many there are', async (t) => {
  const user = workplace(t)
  const { changes, turns } = await after(
    user,
    (claude) => claude.run('for n in $(seq 700); do echo a > $n.txt; done'),
    (claude) => claude.run('for n in $(seq 701); do echo b >> $n.txt; done'),
    (claude) => claude.write('1.txt', 'c\n'),
    (claude) => claude.run('rm *.txt'),
  )
  assert.deepEqual(
    turns.map(({ files = [], filesOmitted, restored = [] }) => [files.length, filesOmitted, restored.length]),
    [
      [500, 200, 0],
      [500, 201, 0],
      [1, undefined, 0],
      [0, undefined, 500],
    ],
  )
  assert.deepEqual(
    turns.map(({ changes }) => changes),
    [
      { files: 700, insertions: 700, deletions: 0 },
      { files: 701, insertions: 1401, deletions: 0 },
      { files: 701, insertions: 1400, deletions: 0 },
      { files: 0, insertions: 0, deletions: 0 },
    ],
  )
  assert.deepEqual(changes, { files: 0, insertions: 0, deletions: 0 })
})

const undone: [what: string, ...turns: Work[]][] = [
  ['undone in its turn', (claude) => claude.run('sed -i s/500/501/ src/login.ts; git checkout -q src/login.ts')],
  [
    'undone by its tool',
    async (claude) => {
      await claude.write('src/login.ts', 'answer(501)\n')
      await claude.write('src/login.ts', 'answer(500)\n')
    },
  ],
  ['undone by a commit', (claude) => claude.run('git rm -q src/login.ts && git commit -qm a && git revert -n HEAD')],
  ['made and removed', (claude) => claude.write('a.txt', 'x\n').then(() => claude.run('rm a.txt'))],
  ['reset', (claude) => claude.run('echo > a.txt; git add -A; git commit -qm a; git reset -q --hard HEAD~1')],
]

for (const [what, ...work] of undone) {
  test(`a file that is ${what} is not changed`, async (t) => {
    const { changes, turns, paths } = await after(workplace(t), ...work)
    assert.deepEqual([changes, turns.map(({ files }) => files), paths], [null, [undefined], []])
  })
}

test('a file that a later turn restores is no longer changed, until it is changed again', async (t) => {
  const user = workplace(t)
  const { changes, turns, paths } = await after(
    user,
    (claude) => claude.write('src/login.ts', 'answer(501)\n').then(() => claude.write('a.txt', 'x\n')),
    (claude) => claude.run('git stash -q'),
    (claude) => claude.run('git stash pop -q'),
    (claude) => claude.run('rm a.txt'),
  )
  assert.deepEqual(
    turns.map(({ files, restored }) => [files?.map(({ path }) => path), restored]),
    [
      [['src/login.ts', 'a.txt'], undefined],
      [undefined, ['src/login.ts']],
      [['src/login.ts'], undefined],
      [undefined, ['a.txt']],
    ],
  )
  assert.deepEqual([changes, paths], [{ files: 1, insertions: 1, deletions: 1 }, ['src/login.ts']])
})

test('what a person writes into a file that the session has put back is not its work', async (t) => {
  const user = workplace(t)
  const { changes, turns, paths } = await after(
    user,
    (claude) => claude.write('src/login.ts', 'answer(501)\n').then(() => claude.write('a.txt', 'x\n')),
    (claude) => claude.run('git checkout -q src/login.ts'),
    (claude) => {
      writeFiles(user.cwd, { 'src/login.ts': "a person's\n" })
      return claude.run('true')
    },
    (claude) => claude.run('git stash -q'),
    (claude) => claude.run('git stash pop -q'),
  )
  assert.deepEqual(
    turns.slice(1).map(({ files }) => files),
    [undefined, undefined, undefined, undefined],
  )
  assert.deepEqual([changes, paths], [{ files: 1, insertions: 1, deletions: 0 }, ['a.txt']])
  const client = await user.ledger()
  const { files } = await client.getDiff({ runId: (await onlyRun(user)).runId })
  assert.deepEqual(
    files.map(({ path }) => path),
    ['a.txt'],
  )
})

test('work that a person puts away and brings back as it was stays that of the session', async (t) => {
  const user = workplace(t)
  const { changes, turns } = await after(
    user,
    (claude) => claude.write('src/login.ts', 'answer(501)\n'),
    (claude) => {
      user.git('stash', '-q')
      return claude.run('true')
    },
    (claude) => {
      user.git('stash', 'pop', '-q')
      return claude.run('true')
    },
  )
  assert.deepEqual(
    turns.map(({ files, restored }) => [files?.map(({ path }) => path), restored]),
    [
      [['src/login.ts'], undefined],
      [undefined, ['src/login.ts']],
      [['src/login.ts'], undefined],
    ],
  )
  assert.deepEqual(changes, { files: 1, insertions: 1, deletions: 1 })
  const client = await user.ledger()
  const { files } = await client.getDiff({ runId: (await onlyRun(user)).runId })
  assert.deepEqual(
    files.map(({ path, insertions, deletions }) => [path, insertions, deletions]),
    [['src/login.ts', 1, 1]],
  )
})

test('files that git ignores stay changed, and a file reached by a link is the one behind it', async (t) => {
  const user = workplace(t)
  writeFiles(user.cwd, { '.gitignore': 'dist\n' })
  symlinkSync('src/login.ts', join(user.cwd, 'link.ts'))
  user.git('add', '-A')
  user.git('commit', '-q', '-m', 'ignore')
  const { paths } = await after(user, async (claude) => {
    await claude.write('dist/a.js', 'x\n')
    await claude.write('link.ts', 'answer(501)\n')
  })
  assert.deepEqual(paths, ['dist/a.js', 'src/login.ts'])
})

test('a link that a command takes away and brings back is not changed', async (t) => {
  const user = workplace(t)
  symlinkSync('login.ts', join(user.cwd, 'src/link.ts'))
  user.git('add', '-A')
  user.git('commit', '-q', '-m', 'link')
  const { changes, paths } = await after(
    user,
    (claude) => claude.run('rm src/link.ts; echo 1 > a.txt'),
    (claude) => claude.run('ln -s login.ts src/link.ts'),
  )
  assert.deepEqual([changes?.files, paths], [1, ['a.txt']])
})

const linked: [what: string, link: string, written: string, paths: string[], after?: string][] = [
  ['a file', 'ln -s src/login.ts link.ts', 'link.ts', ['link.ts', 'src/login.ts']],
  ['a file that is not there yet', 'ln -s b.ts link.ts', 'link.ts', ['b.ts', 'link.ts']],
  ['a folder', 'ln -s src lib', 'lib/login.ts', ['lib', 'src/login.ts']],
  ['a file, until the turn ends', 'ln -s src/login.ts link.ts', 'link.ts', ['src/login.ts'], 'rm link.ts'],
  ['a folder, until the turn ends', 'ln -s src lib', 'lib/login.ts', ['src/login.ts'], 'rm lib'],
]

for (const [what, link, written, expected, last] of linked) {
  test(`a tool writes what is behind a link of the same turn to ${what}`, async (t) => {
    const { paths } = await after(workplace(t), async (claude) => {
      await claude.run(link)
      await claude.write(written, 'answer(501)\n')
      if (last) await claude.run(last)
    })
    assert.deepEqual(paths, expected)
  })
}

const replaced: [when: string, (claude: Claude, write: () => void) => Promise<unknown>][] = [
  ['then', (claude, write) => claude.use('Write', { file_path: 'a.txt' }, write).then(() => claude.run(linking))],
  [
    'at the same time',
    (claude, write) =>
      claude.use('Write', { file_path: 'a.txt' }, () => {
        write()
        return claude.run(linking)
      }),
  ],
]
const linking = 'ln -sf src/login.ts a.txt'

for (const [when, work] of replaced) {
  test(`who writes a file that ${when} becomes a link did not write what is behind it`, async (t) => {
    const user = workplace(t)
    const write = () => writeFiles(user.cwd, { 'a.txt': 'x\n', 'src/login.ts': 'answer(502)\n' })
    const { paths } = await after(user, (claude) => work(claude, write))
    assert.deepEqual(paths, ['a.txt'])
  })
}

const committing =
  'git switch -qc side && sed -i s/500/501/ src/login.ts && echo x > a.txt && git add -A && git commit -qm a'

const elsewhere: [what: string, ...turns: Work[]][] = [
  ['in the same turn', (claude) => claude.run(`${committing} && git switch -q main`)],
  ['in a later turn', (claude) => claude.run(committing), (claude) => claude.run('git switch -q main')],
  ['with an open file', (claude) => claude.run(`${committing} && git switch -q main && echo > own.txt`)],
]

for (const [what, ...work] of elsewhere) {
  test(`a session that ends on another branch, ${what}, keeps the lines of its commits`, async (t) => {
    const { changes, paths } = await after(workplace(t), ...work)
    const open = paths.includes('own.txt') ? 1 : 0
    assert.deepEqual(changes, { files: 2 + open, insertions: 2 + open, deletions: 1 })
  })
}

test('a fix that a session also commits to an older branch counts, although its file is as at the beginning', async (t) => {
  const user = workplace(t)
  user.git('branch', 'release')
  writeFiles(user.cwd, { 'src/login.ts': 'answer(401)\n' })
  user.git('commit', '-q', '-a', '-m', 'fix')
  const { changes } = await after(user, async (claude) => {
    await claude.run('git switch -q release')
    await claude.write('src/login.ts', 'answer(401)\n')
    // Another message, or it would be the very commit that main has.
    await claude.run('git commit -qam backport')
  })
  assert.deepEqual(changes, { files: 1, insertions: 1, deletions: 1 })
})

test('a renamed file counts with both paths in a session, and once in a command', async (t) => {
  const both = { files: 2, insertions: 1, deletions: 1 }
  const { changes, paths } = await after(workplace(t), (claude) => claude.run('git mv src/login.ts src/sign-in.ts'))
  assert.deepEqual([changes, paths], [both, ['src/login.ts', 'src/sign-in.ts']])
  const user = workplace(t)
  const { code } = await conductHere(['exec', '--', 'git', 'mv', 'src/login.ts', 'src/sign-in.ts'], user.env, user.cwd)
  assert.deepEqual([code, (await onlyRun(user)).changes], [0, { files: 1, insertions: 0, deletions: 0 }])
})

test('what a tool of an MCP server writes is in the tree of the run, and no file of the session', async (t) => {
  const user = workplace(t)
  const note = (claude: Claude, path: string) =>
    claude.use('mcp__notes__write_note', { note: path }, () => writeFiles(user.cwd, { [path]: 'a\nb\n' }))
  const { changes, turns, paths } = await after(
    user,
    async (claude) => {
      await claude.run('true')
      await note(claude, 'left.txt')
    },
    async (claude) => {
      await note(claude, 'committed.txt')
      await claude.run('git add committed.txt && git commit -q -m noted')
    },
    async (claude) => {
      await note(claude, 'both.txt')
      await claude.run('echo c >> both.txt')
    },
  )
  const both = { path: 'both.txt', insertions: 3, deletions: 0 }
  assert.deepEqual(
    turns.map(({ files, uncredited, git }) => [files, uncredited, git?.uncommitted?.paths, git?.commits?.length]),
    [
      [undefined, undefined, ['left.txt'], undefined],
      [undefined, undefined, ['left.txt'], 1],
      [[both], undefined, ['both.txt', 'left.txt'], undefined],
    ],
  )
  assert.deepEqual([paths, changes], [['both.txt'], { files: 1, insertions: 3, deletions: 0 }])
})
