import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openState } from '../../src/capture/spool/state.ts'
import { changedBy } from '../../src/capture/work/by-command.ts'
import { snapshotOrFault } from '../../src/place/git/tree.ts'
import type { Snapshot } from '../../src/recorder/work.ts'
import { freshFolder } from './folder.ts'
import { claudeIn, onlyRun, runsOf, syncAll, turnsOf, workplace } from './session.ts'
import { gitIn, writeFiles } from './user.ts'

test('each of two sessions in one folder reports only the files that it wrote', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const [one, two] = [claudeIn(cwd, env), claudeIn(cwd, env)]
  await one.prompt('One')
  await two.prompt('Two')
  await one.write('a.txt', 'a\n')
  await one.run('echo made > by-one.txt')
  await two.write('b.txt', 'b\n')
  await two.write('c.txt', 'c\n')
  // While a command of the first session runs, the second writes a file, and its hook reports it later.
  await one.use('Bash', { command: 'build' }, () => writeFiles(cwd, { 'built.txt': 'x\n', 'd.txt': 'd\n' }))
  await two.use('Write', { file_path: join(cwd, 'd.txt') }, () => {})
  await one.stop()
  await two.stop()
  await syncAll(env)
  const files = new Map((await runsOf(user)).map((run) => [run.title, run.turns.last?.files?.map(({ path }) => path)]))
  assert.deepEqual(files.get('One'), ['a.txt', 'by-one.txt', 'built.txt'])
  assert.deepEqual(files.get('Two'), ['b.txt', 'c.txt', 'd.txt'])
  assert.deepEqual(
    (await runsOf(user)).map(({ changes }) => changes?.files),
    [3, 3],
  )
})

test('a file that a command changed stays its work when another session writes it later', (t) => {
  const { cwd, git } = workplace(t)
  writeFiles(cwd, { 'file.txt': 'one\n' })
  git('add', '.')
  git('commit', '-qm', 'file')
  using state = openState(':memory:')
  const place = { kind: 'local', databaseUrl: 'sqlite::memory:', project: 'shop' } as const
  for (const name of ['one', 'two']) state.record({ name, kind: 'hook', place, cwd })
  const take = () => snapshotOrFault(cwd, join(cwd, '.git/taken')) as Snapshot
  const from = Date.now()
  const before = take()
  writeFiles(cwd, { 'file.txt': 'two\n' })
  const window = { from, to: Date.now(), before, now: take() }
  const own = () => changedBy(window, { state, name: 'one', memo: {}, isOwn: () => true })
  t.mock.timers.enable({ apis: ['Date'], now: window.to + 120_000 })
  state.wrote('two', [join(cwd, 'file.txt')])
  assert.deepEqual(own(), ['file.txt'])
  // The hook of a tool that wrote meanwhile may take some time.
  t.mock.timers.setTime(window.to + 50_000)
  state.wrote('two', [join(cwd, 'file.txt')])
  assert.deepEqual(own(), [])
})

test('if commands of two sessions overlap, neither session reports what they changed', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const [one, two] = [claudeIn(cwd, env), claudeIn(cwd, env)]
  await one.prompt('One')
  await two.prompt('Two')
  await two.tell('PreToolUse', { tool_name: 'Bash', tool_input: { command: 'other' }, tool_use_id: 'other' })
  await one.run('echo x > whose.txt && git add -A && git commit -q -m whose')
  await one.stop()
  await syncAll(env)
  const [run] = await runsOf(user)
  assert.deepEqual([run?.turns.last?.files, run?.turns.last?.git?.commits], [undefined, undefined])
  await two.end()
  await syncAll(env)
  await one.prompt('Alone')
  await one.run('echo x > mine.txt')
  await one.stop()
  await syncAll(env)
  const { turns } = (await runsOf(user)).find(({ title }) => title === 'One') ?? {}
  assert.deepEqual(
    turns?.last?.files?.map(({ path }) => path),
    ['mine.txt'],
  )
})

test('a checkout is no work of the session, and its commits are those that it created', async (t) => {
  const user = workplace(t)
  const { env, cwd, git } = user
  git('checkout', '-q', '-b', 'side')
  writeFiles(cwd, { 'of-side.txt': 'x\n' })
  git('add', '-A')
  git('commit', '-q', '-m', 'on the side')
  git('checkout', '-q', 'main')
  const base = git('rev-parse', 'HEAD')
  const claude = claudeIn(cwd, env)
  await claude.prompt('Go')
  await claude.run('git checkout -q side && echo y > mine.txt')
  await claude.run('git add -A && git commit -q -m mine')
  await claude.run('sed -i s/500/401/ src/login.ts && git commit -q -a -m both')
  await claude.stop()
  await syncAll(env)
  const run = await onlyRun(user)
  const commits = [git('rev-parse', 'HEAD~1'), git('rev-parse', 'HEAD')]
  assert.deepEqual(run.turns.last?.files, [
    { path: 'mine.txt', insertions: 1, deletions: 0 },
    { path: 'src/login.ts', insertions: 1, deletions: 1 },
  ])
  const { branch, dirty, tree } = run.git ?? {}
  const uncommitted = { count: 0, paths: [] }
  assert.deepEqual(run.git, { base, branch, dirty, tree, commitTree: tree, commit: commits[1], commits, uncommitted })
  assert.deepEqual([branch, dirty, tree], ['side', false, git('rev-parse', 'HEAD^{tree}')])
})

test('a turn has the commits that were made in it, and the run has all of them', async (t) => {
  const user = workplace(t)
  const claude = claudeIn(user.cwd, user.env)
  const commit = 'echo x >> a.txt && git add -A && git commit -qm a'
  for (const command of [`${commit} && ${commit}`, 'git log', commit, 'git commit -q --amend -m b']) {
    await claude.prompt('Go')
    await claude.run(command)
    await claude.stop()
  }
  await syncAll(user.env)
  const made = user.git('reflog', '--format=%H').trim().split('\n').reverse().slice(1)
  const [one, two, three, amended] = made
  const turns = (await turnsOf(user)).map(({ git }) => git?.commits)
  assert.deepEqual(turns, [[one, two], undefined, [three], [amended]])
  assert.deepEqual((await onlyRun(user)).git?.commits, made)
})

const stashes: [what: string, commands: string[], paths: string[] | undefined][] = [
  ['a stash', ['git stash -u'], undefined],
  ['a stash and its return', ['git stash -u', 'true', 'git stash pop'], undefined],
  ['a stash in another one', ['git stash', 'git stash -u', 'git stash pop', 'git stash pop'], undefined],
  ['a stash and an edit', ['git stash -u && echo y > users.txt'], ['users.txt']],
  ['its own work in a stash', ['echo x > mine.txt', 'git stash -u', 'git stash pop'], ['mine.txt']],
]

for (const [what, commands, paths] of stashes) {
  test(`of ${what}, only what the session wrote is its work`, async (t) => {
    const user = workplace(t)
    const { env, cwd } = user
    writeFiles(cwd, { 'src/login.ts': 'answer(501)\n', 'users.txt': 'x\n' })
    const claude = claudeIn(cwd, env)
    await claude.prompt('Go')
    for (const command of commands) await claude.run(command)
    await claude.stop()
    await syncAll(env)
    const { turns } = await onlyRun(user)
    assert.deepEqual(
      turns.last?.files?.map(({ path }) => path),
      paths,
    )
  })
}

for (const [what, lines] of [
  ['two commands', ['git add -A && git commit -q -m both', 'git checkout -q main']],
  ['one command', ['git add -A && git commit -q -m both && git checkout -q main']],
] as const) {
  test(`a checkout after a commit, in ${what}, credits no file that somebody else had changed`, async (t) => {
    const user = workplace(t)
    const { env, cwd } = user
    // Some agents rewrite their settings when they start.
    writeFiles(cwd, { 'conduct.json': '{ "project": "shop", "$version": 4 }\n' })
    const claude = claudeIn(cwd, env)
    await claude.prompt('Go')
    await claude.run('git checkout -q -b work')
    await claude.run('sed -i s/500/401/ src/login.ts')
    for (const line of lines) await claude.run(line)
    await claude.stop()
    await syncAll(env)
    const { turns, changes } = await onlyRun(user)
    assert.deepEqual(turns.last?.files, [{ path: 'src/login.ts', insertions: 1, deletions: 1 }])
    assert.deepEqual(changes, { files: 1, insertions: 1, deletions: 1 })
  })
}

test('a commit that another person makes while a command runs is nobody’s work, and its files are none of the session', async (t) => {
  const { env, cwd, git, ledger } = workplace(t)
  git('config', 'user.email', 'ada@example.com')
  const session = claudeIn(cwd, env)
  const bob = 'git -c user.name=Bob -c user.email=bob@example.com commit -q'
  const alone = { ...process.env, GIT_COMMITTER_EMAIL: undefined, GIT_AUTHOR_EMAIL: undefined }
  const asBob = (path: string) => {
    writeFiles(cwd, { [path]: 'bob\n' })
    execFileSync('sh', ['-c', `git add ${path} && ${bob} -m ${path} -- ${path}`], { cwd, env: alone })
  }
  await session.prompt('Wait')
  await session.use('Bash', { command: 'sleep 60' }, () => asBob('bob.txt'))
  await session.stop()
  await syncAll(env)
  const waited = await onlyRun({ ledger })
  assert.deepEqual(
    [waited.git?.commits, waited.turns.last?.files, waited.changes?.files],
    [undefined, undefined, undefined],
  )
  await session.prompt('Work')
  await session.use('Bash', { command: './work.sh' }, () => {
    asBob('more.txt')
    writeFiles(cwd, { 'own.txt': 'own\n' })
    git('add', 'own.txt')
    git('commit', '-q', '-m', 'own')
  })
  await session.stop()
  await syncAll(env)
  const { turns } = await onlyRun({ ledger })
  assert.deepEqual(
    turns.last?.files?.map(({ path }) => path),
    ['own.txt'],
  )
  await session.prompt('Commit as Bob')
  const asked = `${bob} --allow-empty -m asked`
  await session.use('Bash', { command: asked }, () => execFileSync('sh', ['-c', asked], { cwd, env: alone }))
  await session.stop()
  await syncAll(env)
  const commits = ['HEAD~1', 'HEAD'].map((name) => git('rev-parse', name))
  assert.deepEqual((await onlyRun({ ledger })).git?.commits, commits)
})

test('paths are relative to the top of the repository, and absolute outside', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const outside = join(freshFolder(t), 'notes.txt')
  const claude = claudeIn(join(cwd, 'src'), env)
  await claude.prompt('Go')
  await claude.write('login.ts', 'x\n')
  await claude.write('../top.txt', 'x\n')
  await claude.write('../..cache/kept.txt', 'x\n')
  await claude.use('Write', { file_path: outside }, () => writeFileSync(outside, 'x\n'))
  await claude.stop()
  await syncAll(env)
  const { turns } = await onlyRun(user)
  assert.deepEqual(turns.last?.files, [
    { path: 'src/login.ts', insertions: 1, deletions: 1 },
    { path: 'top.txt', insertions: 1, deletions: 0 },
    { path: '..cache/kept.txt', insertions: 1, deletions: 0 },
    { path: outside },
  ])
})

test('a session outside git is recorded, too', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  rmSync(join(cwd, '.git'), { recursive: true })
  const claude = claudeIn(cwd, env)
  await claude.prompt('Go')
  await claude.write('a.txt', 'x\n')
  await claude.run('echo y > b.txt')
  await claude.stop()
  await syncAll(env)
  const { turns, git } = await onlyRun(user)
  assert.deepEqual([turns.last?.files, git], [[{ path: 'a.txt' }], null])
})

test('a linked working tree is separate', async (t) => {
  const user = workplace(t)
  const { env, cwd, git } = user
  const linked = join(env.HOME, 'linked')
  git('worktree', 'add', '-q', '-b', 'side', linked)
  const [main, side] = [claudeIn(cwd, env), claudeIn(linked, env)]
  await main.prompt('Main')
  await side.prompt('Side')
  await main.run('echo x > a.txt')
  await side.run('echo x > b.txt && git add -A && git commit -q -m b')
  await main.stop()
  await side.stop()
  await syncAll(env)
  const told = (await runsOf(user)).map(({ git, turns, project }) => {
    return [project, git?.branch, git?.commits, turns.last?.files?.map(({ path }) => path)]
  })
  assert.deepEqual(told.sort(), [
    ['shop', 'main', undefined, ['a.txt']],
    ['shop', 'side', [gitIn(linked)('rev-parse', 'HEAD')], ['b.txt']],
  ])
})

const rejected = "The user doesn't want to proceed with this tool use."
const unrun: [what: string, response: string][] = [
  ['refused', rejected],
  ['rejected', '<tool_use_error>Blocked: rm -rf x</tool_use_error>'],
]

for (const [what, tool_response] of unrun) {
  test(`a command that was ${what} takes nothing from other sessions`, async (t) => {
    const user = workplace(t)
    const [one, two] = [claudeIn(user.cwd, user.env), claudeIn(user.cwd, user.env)]
    const call = { tool_name: 'Bash', tool_input: { command: 'rm -rf x' }, tool_use_id: 'never' }
    await one.prompt('One')
    await one.tell('PreToolUse', call)
    await one.tell('PostToolBatch', { tool_calls: [{ ...call, tool_response }] })
    await two.prompt('Two')
    assert.equal(await commits(two, user), 1)
  })
}

const over: [what: string, then: (claude: ReturnType<typeof claudeIn>) => Promise<void>][] = [
  ['turn', (claude) => claude.stop()],
  ['prompt', (claude) => claude.prompt('More')],
  ['session', (claude) => claude.end().then(() => claude.prompt('Again'))],
]

for (const [what, then] of over) {
  test(`a command without an end takes nothing from other sessions after its ${what}`, async (t) => {
    const user = workplace(t)
    const [one, two] = [claudeIn(user.cwd, user.env), claudeIn(user.cwd, user.env)]
    await one.prompt('One')
    await one.tell('PreToolUse', { tool_name: 'Bash', tool_input: { command: 'sleep 60' }, tool_use_id: 'never' })
    await then(one)
    await two.prompt('Two')
    assert.equal(await commits(two, user), 1)
  })
}

/** How many commits the session has after it made one. */
async function commits(claude: ReturnType<typeof claudeIn>, user: ReturnType<typeof workplace>) {
  await claude.run('echo x > mine.txt && git add -A && git commit -q -m mine')
  await claude.stop()
  await syncAll(user.env)
  const { turns } = (await runsOf(user)).find(({ title }) => title === 'Two') ?? {}
  assert.deepEqual(
    turns?.last?.files?.map(({ path }) => path),
    ['mine.txt'],
  )
  return turns?.last?.git?.commits?.length
}

test('a command during which its user writes another prompt still has its changes', async (t) => {
  const user = workplace(t)
  const claude = claudeIn(user.cwd, user.env)
  const call = { tool_name: 'Bash', tool_input: { command: 'build' }, tool_use_id: 'build' }
  await claude.prompt('Build')
  await claude.tell('PreToolUse', call)
  await claude.prompt('And hurry')
  writeFiles(user.cwd, { 'built.txt': 'x\n' })
  await claude.tell('PostToolUse', { ...call, tool_response: {} })
  await claude.stop()
  await syncAll(user.env)
  const { turns } = await onlyRun(user)
  assert.deepEqual(
    turns.last?.files?.map(({ path }) => path),
    ['built.txt'],
  )
})
