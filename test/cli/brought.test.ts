import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { claudeIn, onlyRun, syncAll, workplace } from './session.ts'
import { writeFiles } from './user.ts'

// What git brings from elsewhere into the files of a session: by a merge, a pull, a checkout or a stash.

/** Lines of a file, of which some are other ones. */
const linesOf = (changed: Record<number, string> = {}) =>
  Array.from({ length: 60 }, (_, index) => `${changed[index + 1] ?? `line ${index + 1}`}\n`).join('')
const bobs = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [index + 30, `BOB ${index}`]))

const bob = {
  ...{ GIT_AUTHOR_NAME: 'Bob', GIT_AUTHOR_EMAIL: 'bob@example.com', GIT_AUTHOR_DATE: '2026-11-02T10:00:00Z' },
  ...{ GIT_COMMITTER_NAME: 'Bob', GIT_COMMITTER_EMAIL: 'bob@example.com', GIT_COMMITTER_DATE: '2026-11-02T10:00:00Z' },
}

/** A repository with a branch `feat` of somebody else, who changed `big.txt` and added `bob.txt`. */
function shared(t: TestContext, changed: Record<number, string>) {
  const user = workplace(t)
  const { cwd, git } = user
  const asBob = (line: string) =>
    execFileSync('sh', ['-c', line], { cwd, env: { ...process.env, ...bob }, stdio: 'pipe' })
  git('config', 'user.email', 'a@b')
  writeFiles(cwd, { 'big.txt': linesOf() })
  git('add', '-A')
  git('commit', '-q', '-m', 'big')
  git('checkout', '-q', '-b', 'feat')
  writeFiles(cwd, { 'big.txt': linesOf(changed), 'bob.txt': 'bob\n' })
  asBob('git add -A && git commit -q -m bob')
  git('checkout', '-q', 'main')
  return { ...user, asBob }
}

type Place = ReturnType<typeof shared>

/** The files of the only run with the lines of its diff, and what its turns count. */
async function told(user: Place) {
  await syncAll(user.env)
  const run = await onlyRun(user)
  const client = await user.ledger()
  const { files } = await client.getDiff({ runId: run.runId, limit: 100 })
  const listed = await client.listRunFiles({ runId: run.runId })
  return {
    changes: run.changes && [run.changes.files, run.changes.insertions, run.changes.deletions],
    diff: files.map(({ path, insertions, deletions }) => [path, insertions, deletions]),
    paths: listed.files.map(({ path }) => path).sort(),
    patch: files.map(({ patch }) => patch).join(''),
  }
}

const ada = 'sed -i "5s/.*/ADA 5/" big.txt && git commit -qam ada'
const take = 'git checkout -q --theirs big.txt && sed -i "5s/.*/BOTH 5/" big.txt && git add -A'
const resolved = ['big.txt']

const stopped: [what: string, commands: string[], paths: string[]][] = [
  ['a merge with a conflict', [ada, 'git merge -q feat', `${take} && git commit -qm merged`], resolved],
  ['one that is committed later', [ada, 'git merge -q feat', take, 'git commit -qm merged'], resolved],
  ['one that takes one command', [ada, `git merge -q feat; ${take} && git commit -qm merged`], resolved],
  ['a merge that is left with its conflict', ['git merge -q feat'], []],
  ['a merge that is aborted', [ada, 'git merge -q feat', 'git merge --abort'], resolved],
  ['a merge that waits for its commit', ['git merge -q --no-commit --no-ff feat', 'git commit -qm merged'], []],
  [
    'a merge with an edit before its commit',
    ['git merge -q --no-commit --no-ff feat', 'echo x > own.txt'],
    ['own.txt'],
  ],
  ['a cherry-pick', ['git cherry-pick feat'], []],
  ['a cherry-pick with a conflict', [ada, 'git cherry-pick feat', `${take} && git commit -qm picked`], resolved],
  [
    'a rebase with a conflict',
    [ada, 'git rebase -q feat', `${take} && GIT_EDITOR=true git rebase --continue`],
    resolved,
  ],
  ['a rebase that is left with its conflict', ['git rebase -q feat'], []],
  [
    'a rebase that stops at another conflict',
    ['git rebase -q feat', 'git checkout -q --ours . && git add -A && GIT_EDITOR=true git rebase --continue'],
    [],
  ],
  ['a rebase that skips what has a conflict', ['git rebase -q feat', 'git rebase --skip', 'git rebase --skip'], []],
  ['a rebase in one line with the commit', [`${ada} && git rebase -q feat`, 'git rebase --abort'], resolved],
  ['a patch that is left with its conflict', ['git format-patch -1 --stdout feat | git am -q -3'], []],
  [
    'a patch that is skipped for its conflict',
    ['git format-patch -1 --stdout feat | git am -q -3', 'git am --skip'],
    [],
  ],
  [
    'a patch with a conflict that it resolves',
    [ada, 'git format-patch -1 --stdout feat | git am -q -3', take, 'git am -q --continue'],
    resolved,
  ],
  ['patches of somebody else', ['git format-patch -1 --stdout feat | git am -q'], []],
]

for (const [what, commands, paths] of stopped) {
  test(`of ${what}, only what the session wrote is its work`, async (t) => {
    const user = shared(t, { 5: 'BOB 5' })
    if (paths.length === 0 && what.includes('conflict')) {
      for (const word of ['BEFORE', 'AGAIN']) {
        writeFiles(user.cwd, { 'big.txt': linesOf({ 5: word }), [`${word}.txt`]: 'a new file\n' })
        user.git('add', '-A')
        user.git('commit', '-qm', word)
      }
    }
    const claude = claudeIn(user.cwd, user.env)
    await claude.prompt('Go')
    for (const command of commands) await claude.run(command)
    await claude.stop()
    const { paths: found, changes } = await told(user)
    assert.deepEqual([found, changes], [paths, paths.length === 0 ? null : [1, 1, paths === resolved ? 1 : 0]])
  })
}

for (const commands of [
  ['git stash -q && git merge -q --no-edit feat && git stash pop -q'],
  ['git stash -q', 'git merge -q --no-edit feat', 'git stash pop -q'],
  ['git merge -q --no-edit --autostash feat'],
  ['git rebase -q --autostash feat'],
  ['git checkout -q -m feat'],
]) {
  test(`what its user has open stays their work when git carries it over: ${commands.join(', ')}`, async (t) => {
    const user = shared(t, bobs)
    const { cwd, env } = user
    const claude = claudeIn(cwd, env)
    await claude.prompt('One')
    await claude.write('own.txt', 'own\n')
    await claude.stop()
    await syncAll(env)
    writeFiles(cwd, { 'big.txt': linesOf({ 2: 'mine' }) })
    await claude.prompt('Two')
    for (const command of commands) await claude.run(command)
    await claude.stop()
    await syncAll(env)
    assert.deepEqual((await onlyRun(user)).changes, { files: 1, insertions: 1, deletions: 0 })
  })
}

test('a turn that looks at another commit and comes back does not repeat the work of the turn before', async (t) => {
  const user = shared(t, {})
  const claude = claudeIn(user.cwd, user.env)
  await claude.prompt('One')
  await claude.write('big.txt', linesOf({ 2: 'two' }))
  await claude.run('git commit -qam two')
  await claude.stop()
  await claude.prompt('Two')
  await claude.run('git checkout -q HEAD~2')
  await claude.run('git checkout -q main')
  await claude.write('big.txt', linesOf({ 2: 'two', 10: 'ten' }))
  await claude.stop()
  await syncAll(user.env)
  const { runId } = await onlyRun(user)
  const { files } = await (await user.ledger()).getDiff({ runId, turn: 2 })
  assert.deepEqual(
    files.map(({ path, insertions, deletions }) => [path, insertions, deletions]),
    [['big.txt', 1, 1]],
  )
})

for (const [how, changed] of [
  ['pop', { 5: 'mine' }],
  ['apply', { 5: 'mine' }],
  ['pop', { 5: 'mine', 1: 'ours' }],
  ['apply', { 5: 'mine', 1: 'ours' }],
] as const) {
  const what = 1 in changed ? 'with a conflict' : 'as it was'
  test(`an older stash that comes back is no work of the session: ${how}, ${what}`, async (t) => {
    const user = shared(t, {})
    writeFiles(user.cwd, { 'big.txt': linesOf(changed), 'new.txt': 'new\n' })
    user.git('stash', '-q', '-u')
    writeFiles(user.cwd, { 'more.txt': 'mine\n' })
    user.git('stash', '-q', '-u')
    const claude = claudeIn(user.cwd, user.env)
    await claude.prompt('Go')
    if (1 in changed) await claude.run('sed -i "1s/.*/ADA 1/" big.txt && git commit -qam ada')
    await claude.run(`git stash ${how} -q stash@{1}; echo x > own.txt`)
    await claude.stop()
    assert.deepEqual((await told(user)).paths, [...(1 in changed ? ['big.txt'] : []), 'own.txt'])
  })
}

test('a file that the session makes as an old stash has it stays its work', async (t) => {
  const user = shared(t, {})
  writeFiles(user.cwd, { 'big.txt': linesOf({ 5: 'mine' }), 'wip.txt': 'mine\n' })
  user.git('stash', '-q', '-u')
  writeFiles(user.cwd, { 'more.txt': 'mine\n' })
  user.git('stash', '-q', '-u')
  const claude = claudeIn(user.cwd, user.env)
  await claude.prompt('Go')
  await claude.run('sed -i "5s/.*/mine/" big.txt')
  await claude.stop()
  assert.deepEqual((await told(user)).paths, ['big.txt'])
})

test('a stash that comes back with a conflict is no work of the session', async (t) => {
  const user = shared(t, { 5: 'BOB 5' })
  user.asBob('git checkout -q feat && git reset -q --soft HEAD~1 && git stash -q && git checkout -q main')
  const claude = claudeIn(user.cwd, user.env)
  await claude.prompt('Go')
  await claude.run('sed -i "5s/.*/ADA 5/" big.txt && git commit -qam ada')
  await claude.run('git stash pop -q')
  await claude.stop()
  assert.deepEqual((await told(user)).paths, ['big.txt'])
})

const edit = 'sed -i "1s/.*/ADA 1/" big.txt'
const commit = 'git commit -qam ada'
const one = { changes: [1, 1, 1], diff: [['big.txt', 1, 1]], paths: ['big.txt'] }

const brought: [what: string, ...turns: string[][]][] = [
  ['a checkout before the edit', ['git checkout -q feat', edit, commit]],
  ['a checkout in one line with the edit', [`git checkout -q feat && ${edit} && ${commit}`]],
  ['a checkout and an edit without a commit', ['git checkout -q feat', edit]],
  ['a checkout in an earlier turn', ['git checkout -q feat'], [edit]],
  ['a merge after the edit', [edit, commit, 'git merge -q --no-edit feat']],
  ['a merge after the edit, in the next turn', [edit, commit], ['git merge -q --no-edit feat']],
  [
    'a merge before the edit',
    [
      'echo x > notes && git add -A && git commit -qm x && rm notes && git commit -qam y',
      'git merge -q --no-edit feat',
      edit,
    ],
  ],
  ['a fast-forward before the edit', ['git merge -q feat', edit, commit]],
  ['a merge that waits for its commit', [edit, commit, 'git merge -q --no-commit feat', 'git commit -qm merged']],
  ['a merge that was aborted', [edit, commit, 'git merge -q --no-commit feat', 'git merge --abort']],
  [
    'a merge that was aborted in one line with an edit',
    ['git merge -q --no-commit feat', `git merge --abort; ${edit}; ${commit}`],
  ],
  ['a merge that was undone', [edit, commit, 'git merge -q --no-edit feat'], ['git reset -q --hard HEAD~1', 'true']],
  ['a rebase after the edit', [edit, commit, 'git rebase -q feat']],
  ['a rebase after the edit, in the next turn', [edit, commit], ['git rebase -q feat']],
  ['a cherry-pick', [edit, commit, 'git cherry-pick feat']],
  [
    'its branch left and found again',
    ['git checkout -qb own', edit, commit, 'git checkout -q feat', 'git checkout -q own', 'touch x; rm x'],
  ],
  [
    'its branch merged',
    ['git checkout -qb own', edit, commit, 'git checkout -q main', 'git merge -q feat', 'git merge -q --no-edit own'],
  ],
  [
    'its branch merged in a later turn',
    ['git checkout -qb own', edit, commit],
    ['git checkout -q main && git merge -q feat'],
    ['git merge -q --no-edit own'],
  ],
  ['an amended commit', ['git merge -q feat', edit, 'git commit -qa --amend --no-edit']],
  ['a reset that keeps the files', ['git merge -q feat', 'git reset -q --soft HEAD~1', edit]],
]

for (const [what, ...turns] of brought) {
  test(`lines of somebody else in a file of the session are not its own: ${what}`, async (t) => {
    const user = shared(t, bobs)
    const claude = claudeIn(user.cwd, user.env)
    for (const commands of turns) {
      await claude.prompt('Go')
      for (const command of commands) await claude.run(command)
      await claude.stop()
    }
    const { patch, ...found } = await told(user)
    assert.deepEqual(found, one)
    assert.doesNotMatch(patch, /^[-+]BOB/m)
  })
}

test('what a person pulls between two turns is in neither of them', async (t) => {
  const user = shared(t, bobs)
  const claude = claudeIn(user.cwd, user.env)
  await claude.prompt('One')
  await claude.run(`${edit} && ${commit}`)
  await claude.stop()
  user.git('merge', '-q', '--no-edit', 'feat')
  await claude.prompt('Two')
  await claude.run('echo x > own.txt')
  await claude.stop()
  const { changes, diff, patch } = await told(user)
  assert.deepEqual(
    [changes, diff],
    [
      [2, 2, 1],
      [
        ['big.txt', 1, 1],
        ['own.txt', 1, 0],
      ],
    ],
  )
  assert.doesNotMatch(patch, /^[-+]BOB/m)
  await claude.prompt('Three')
  await claude.run('sed -i "2s/.*/ADA 2/" big.txt')
  await claude.stop()
  const { changes: all, diff: whole } = await told(user)
  assert.deepEqual(
    [all, whole],
    [
      [2, 3, 2],
      [
        ['big.txt', 2, 2],
        ['own.txt', 1, 0],
      ],
    ],
  )
})

test('a file that the session made has no lines that somebody else added to it later', async (t) => {
  const user = shared(t, {})
  const claude = claudeIn(user.cwd, user.env)
  await claude.prompt('Go')
  await claude.run('printf "a\\nb\\nc\\n" > new.txt && git add -A && git commit -qm new')
  user.asBob('git checkout -q -b more && echo bob >> new.txt && git commit -q -a -m more && git checkout -q main')
  await claude.run('git merge -q more')
  await claude.run('sed -i s/a/A/ new.txt')
  await claude.stop()
  const { changes, diff } = await told(user)
  assert.deepEqual([changes, diff], [[1, 3, 0], [['new.txt', 3, 0]]])
})

test('commits from before the run that a rebase repeats are not its own', async (t) => {
  const user = shared(t, bobs)
  writeFiles(user.cwd, { 'big.txt': linesOf({ 10: 'BEFORE' }) })
  user.git('commit', '-q', '-a', '-m', 'before')
  const claude = claudeIn(user.cwd, user.env)
  await claude.prompt('Go')
  await claude.run(`${edit} && ${commit}`)
  await claude.run('git pull -q --rebase . feat')
  await claude.stop()
  const { patch, ...found } = await told(user)
  assert.deepEqual(found, one)
  assert.doesNotMatch(patch, /^[-+](?:BOB|BEFORE)/m)
})

test('work that comes back as a squashed commit of others stays that of the session', async (t) => {
  const user = shared(t, bobs)
  const claude = claudeIn(user.cwd, user.env)
  await claude.prompt('Go')
  await claude.run(`git checkout -qb own && ${edit} && ${commit}`)
  user.asBob(
    'git checkout -q -b server main && git merge -q --squash own && git commit -q -m squashed && git checkout -q own',
  )
  await claude.run('git checkout -q main && git merge -q server && git branch -q -D own')
  await claude.stop()
  const { patch: _, ...found } = await told(user)
  assert.deepEqual(found, one)
})

test('the files of a submodule that a session checks out are not its work', async (t) => {
  const user = shared(t, { 40: 'BOB 40' })
  const { cwd, env, folder, asBob } = user
  const library = join(folder, 'library')
  const allow = '-c protocol.file.allow=always'
  asBob(`git init -q -b main ${library} && cd ${library} && seq 10 > l.txt && git add -A && git commit -q -m library`)
  asBob(
    `git ${allow} submodule --quiet add ${library} lib && git commit -q -m sub && git submodule --quiet deinit -f lib`,
  )
  const claude = claudeIn(cwd, env)
  await claude.prompt('Work')
  await claude.run(`git ${allow} submodule --quiet update --init`)
  await claude.run(ada)
  await claude.run('echo more >> lib/l.txt')
  await claude.stop()
  const { changes, diff } = await told(user)
  assert.deepEqual(changes, [2, 2, 1])
  assert.deepEqual(diff, [
    ['big.txt', 1, 1],
    ['lib/l.txt', 1, 0],
  ])
})

/** Whether git can move a repository to a reftable. */
function hasTables(): boolean {
  const [, major = 0, minor = 0] = /(\d+)\.(\d+)/.exec(execFileSync('git', ['version'], { encoding: 'utf8' })) ?? []
  return Number(major) > 2 || Number(minor) >= 46
}

test('a repository with branches in a reftable has the commits of a session, and only its lines', async (t) => {
  if (!hasTables()) return t.skip('this git cannot move to a reftable')
  const user = shared(t, { 40: 'BOB 40' })
  const { cwd, env, git } = user
  rmSync(join(cwd, '.git/logs'), { recursive: true })
  git('refs', 'migrate', '--ref-format=reftable')
  const claude = claudeIn(cwd, env)
  await claude.prompt('Work')
  await claude.run(ada)
  await claude.run('git stash list && git merge -q --no-edit feat')
  await claude.stop()
  const { changes, diff } = await told(user)
  assert.deepEqual([changes, diff], [[1, 1, 1], [['big.txt', 1, 1]]])
  const { git: work } = await onlyRun(user)
  assert.deepEqual(work?.commits, git('rev-list', '--reverse', '--first-parent', 'HEAD', '-2').split('\n'))
})

test('a branch without history in a reftable has no earlier commits of the session', async (t) => {
  const user = workplace(t)
  const { cwd, env, git } = user
  git('config', 'user.email', 'a@b')
  if (!hasTables()) return t.skip('this git cannot move to a reftable')
  rmSync(join(cwd, '.git/logs'), { recursive: true })
  git('refs', 'migrate', '--ref-format=reftable')
  writeFiles(cwd, { 'users.txt': 'user\n' })
  git('add', '-A')
  git('commit', '-qm', 'mine')
  const claude = claudeIn(cwd, env)
  await claude.prompt('Work')
  await claude.run('git checkout -q --orphan pages')
  await claude.run('git rm -rqf . && echo page > index.html && git add -A && git commit -qm pages')
  await claude.stop()
  await syncAll(env)
  assert.deepEqual((await onlyRun(user)).git?.commits, [git('rev-parse', 'pages')])
})

test('a merge that removes the old path of a renamed file takes nothing from the session', async (t) => {
  const user = shared(t, {})
  user.asBob('git checkout -q feat && git mv big.txt large.txt && git commit -q -a -m rename && git checkout -q main')
  const claude = claudeIn(user.cwd, user.env)
  await claude.prompt('Go')
  await claude.run(ada)
  await claude.run('git merge -q --no-edit feat')
  await claude.stop()
  const { changes, diff } = await told(user)
  assert.deepEqual([changes, diff], [[1, 1, 1], [['large.txt', 1, 1]]])
})

test('a change of others that a merge carries to the new path of a file is not of the session', async (t) => {
  const user = shared(t, { 40: 'BOB 40' })
  const claude = claudeIn(user.cwd, user.env)
  await claude.prompt('Go')
  await claude.run('git mv big.txt large.txt && sed -i "5s/.*/ADA 5/" large.txt && git commit -qam rename')
  await claude.run('git merge -q --no-edit feat')
  await claude.stop()
  const { diff, patch } = await told(user)
  assert.doesNotMatch(patch, /^[-+](?:BOB|line 40)/m)
  assert.deepEqual(diff, [['large.txt', 1, 1]])
})
