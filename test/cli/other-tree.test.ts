import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { claudeIn, type Document, onlyRun, runsOf, syncAll, workplace } from './session.ts'
import { gitIn, writeFiles } from './user.ts'

// A session that works in another working tree of its repository than that in which it began.

/** A session that can work in a linked working tree, by tools and by commands whose documents name that folder. */
function sessionIn(t: TestContext) {
  const user = workplace(t)
  const { cwd, env, git, ledger } = user
  writeFiles(cwd, {
    'conduct.json': '{ "project": "shop", "checks": { "tests": "sh test.sh" } }\n',
    'test.sh': 'exit 0\n',
  })
  git('add', '-A')
  git('commit', '-qm', 'rules')
  const claude = claudeIn(cwd, env)
  const side = join(cwd, '.claude/worktrees/side')
  const inTree = (root: string, by: Document = {}) => ({
    git: gitIn(root),
    write: async (path: string, text: string) => {
      const document = { tool_name: 'Write', tool_input: { file_path: join(root, path) }, cwd: root, ...by }
      const tool_use_id = `write_${path}_${text.length}`
      await claude.tell('PreToolUse', { ...document, tool_use_id })
      writeFiles(root, { [path]: text })
      await claude.tell('PostToolUse', { ...document, tool_use_id, tool_response: {} })
    },
    run: async (command: string) => {
      const document = { tool_name: 'Bash', tool_input: { command }, cwd: root, ...by }
      const tool_use_id = `run_${command}`
      await claude.tell('PreToolUse', { ...document, tool_use_id })
      execFileSync('sh', ['-c', command], { cwd: root, stdio: 'pipe' })
      await claude.tell('PostToolUse', { ...document, tool_use_id, tool_response: {} })
    },
  })
  /** Creates the working tree and enters it, as Claude Code's `EnterWorktree` does. */
  const enter = async () => {
    const document = { tool_name: 'EnterWorktree', tool_input: { name: 'side' }, tool_use_id: 'enter' }
    await claude.tell('PreToolUse', document)
    git('worktree', 'add', '-q', '-b', 'worktree-side', side)
    await claude.tell('PostToolUse', { ...document, cwd: side, tool_response: {} })
    return inTree(side)
  }
  /** The working tree of a subagent, as Claude Code makes it. */
  const apart = () => {
    git('worktree', 'add', '-q', '-b', 'worktree-agent', side)
    return inTree(side, { agent_id: 'a1', agent_type: 'general-purpose' })
  }
  const ended = async () => {
    await claude.stop()
    await claude.end()
    await syncAll(env)
    const run = await onlyRun(user)
    const { files } = await (await ledger()).getDiff({ runId: run.runId, limit: 100 })
    return { run, diffs: files.map(({ path, patch }) => [path, patch]) }
  }
  return { ...user, claude, side, enter, apart, here: inTree(cwd), ended }
}

const login = (text: string) => `@@ -1 +1 @@\n-answer(500)\n+${text}\n`

/** What Claude Code reports once it has left another working tree. */
const exit = { tool_name: 'ExitWorktree', tool_input: {}, tool_use_id: 'exit', tool_response: {} }

test('a session that enters a working tree before it writes has its work, commits and checks from there', async (t) => {
  const { claude, enter, ended, git } = sessionIn(t)
  await claude.prompt('Work')
  await claude.run('ls')
  const side = await enter()
  await side.write('src/login.ts', 'answer(401)\n')
  await side.run('echo new > src/new.ts')
  await side.run('sh test.sh')
  await side.run('git add -A && git commit -qm Work')
  const { run, diffs } = await ended()
  const made = git('rev-parse', 'worktree-side')
  const { branch, commit, commits, tree, base, dirty } = run.git ?? {}
  assert.deepEqual([branch, commit, commits, dirty], ['worktree-side', made, [made], false])
  assert.deepEqual([tree, base], [git('rev-parse', `${made}^{tree}`), git('rev-parse', 'main')])
  assert.deepEqual(run.changes, { files: 2, insertions: 2, deletions: 1 })
  assert.deepEqual(diffs, [
    ['src/login.ts', login('answer(401)')],
    ['src/new.ts', '@@ -0,0 +1 @@\n+new\n'],
  ])
  assert.deepEqual([run.verdict, run.evidence], ['verified', 'executed'])
})

test('what it leaves uncommitted in that working tree is its work, and after the tests stale', async (t) => {
  const { claude, enter, ended } = sessionIn(t)
  await claude.prompt('Work')
  const side = await enter()
  await side.run('sh test.sh')
  await side.write('src/login.ts', 'answer(401)\n')
  const { run, diffs } = await ended()
  assert.deepEqual(diffs, [['src/login.ts', login('answer(401)')]])
  assert.deepEqual([run.verdict, run.git?.dirty, run.git?.uncommitted?.paths], ['stale', true, ['src/login.ts']])
})

test('a session that has removed an unused working tree works where it began', async (t) => {
  const { claude, enter, ended, here, git, side } = sessionIn(t)
  await claude.prompt('Work')
  await (await enter()).run('ls')
  git('worktree', 'remove', side)
  await claude.tell('PostToolUse', exit)
  await here.write('src/login.ts', 'answer(401)\n')
  await here.run('sh test.sh')
  const { run, diffs } = await ended()
  assert.deepEqual(diffs, [['src/login.ts', login('answer(401)')]])
  assert.deepEqual([run.verdict, run.git?.branch], ['verified', 'main'])
})

test('a session that has written stays in its working tree, and has the commits of the other one', async (t) => {
  const { claude, enter, ended, here, git } = sessionIn(t)
  await claude.prompt('Work')
  await here.write('src/login.ts', 'answer(401)\n')
  await here.run('sh test.sh')
  const side = await enter()
  await side.write('src/new.ts', 'new\n')
  await side.run('git add -A && git commit -qm Work')
  await side.write('src/open.ts', 'open\n')
  const { run, diffs } = await ended()
  assert.deepEqual(run.git?.commits, [git('rev-parse', 'worktree-side')])
  assert.deepEqual(
    diffs.map(([path]) => path),
    ['src/login.ts', 'src/new.ts'],
  )
  const paths = run.turns.last?.files?.map(({ path }) => path)
  assert.deepEqual(paths?.toSorted(), ['.claude/worktrees/side/src/open.ts', 'src/login.ts', 'src/new.ts'])
  assert.deepEqual([run.git?.branch, run.verdict], ['main', 'stale'])
})

for (const merge of ['git merge -q worktree-agent', 'git merge -q --no-ff --no-edit worktree-agent']) {
  test(`what a subagent committed in a working tree of its own is the session's after ${merge}`, async (t) => {
    const { claude, apart, ended, here, git } = sessionIn(t)
    await claude.prompt('Work')
    await here.run('sh test.sh')
    const subagent = apart()
    await subagent.run('echo new > src/new.ts')
    await subagent.run('git add -A && git commit -qm Apart')
    await here.run(merge)
    const { run, diffs } = await ended()
    const own = git('rev-list', '--reverse', 'HEAD', '--not', 'HEAD@{1}').split('\n')
    assert.deepEqual(run.git?.commits?.toSorted(), own.toSorted())
    assert.equal(run.git?.commit, git('rev-parse', 'HEAD'))
    assert.deepEqual(run.changes, { files: 1, insertions: 1, deletions: 0 })
    assert.deepEqual(diffs, [['src/new.ts', '@@ -0,0 +1 @@\n+new\n']])
    assert.equal(run.verdict, 'stale')
  })
}

test('a fast-forward to what a subagent committed moves the run on', async (t) => {
  const { claude, apart, ended, here, git } = sessionIn(t)
  await claude.prompt('Work')
  await here.write('src/login.ts', 'answer(401)\n')
  await here.run('git commit -qam Login')
  await here.run('sh test.sh')
  await apart().run('echo new > src/new.ts && git add -A && git commit -qm Apart')
  await here.run('git merge -q worktree-agent')
  const { run } = await ended()
  assert.deepEqual([run.git?.branch, run.git?.commit], ['main', git('rev-parse', 'main')])
  assert.deepEqual([run.verdict, run.git?.commits?.length, run.changes?.files], ['stale', 2, 2])
})

for (const [how, line] of [
  ['goes there', (side: string) => `cd ${side} && echo new > src/new.ts && git add -A && git commit -qm Apart`],
  ['goes to a quoted path', (side: string) => `cd "${side}"; echo new > src/new.ts; git add -A; git commit -qm Apart`],
] as const) {
  test(`a command line that ${how} has its commits, which a merge and tests verify`, async (t) => {
    const { claude, ended, here, git, side } = sessionIn(t)
    await claude.prompt('Work')
    await here.run(`git worktree add -q -b side ${side}`)
    await here.run(line(side))
    await here.run(`git merge -q side && git worktree remove ${side}`)
    await here.run('sh test.sh')
    const { run, diffs } = await ended()
    assert.deepEqual(run.git?.commits, [git('rev-parse', 'main')])
    assert.deepEqual(diffs, [['src/new.ts', '@@ -0,0 +1 @@\n+new\n']])
    assert.deepEqual([run.verdict, run.changes], ['verified', { files: 1, insertions: 1, deletions: 0 }])
  })
}

test('tests after that merge verify it', async (t) => {
  const { claude, apart, ended, here } = sessionIn(t)
  await claude.prompt('Work')
  const subagent = apart()
  await subagent.run('echo new > src/new.ts && git add -A && git commit -qm Apart')
  await here.run('git merge -q worktree-agent')
  await here.run('sh test.sh')
  const { run, diffs } = await ended()
  assert.deepEqual([run.verdict, diffs.length, run.git?.commits?.length], ['verified', 1, 1])
})

test('what another session commits in its own working tree is not the work of this one', async (t) => {
  const user = sessionIn(t)
  const { claude, apart, env, side, git } = user
  await claude.prompt('Work')
  apart()
  const other = claudeIn(side, env)
  await other.prompt('Beside')
  const sleep = { tool_name: 'Bash', tool_input: { command: 'sleep 1' }, tool_use_id: 'sleep' }
  await claude.tell('PreToolUse', sleep)
  await other.run('echo new > new.ts && git add -A && git commit -qm Beside')
  await claude.tell('PostToolUse', { ...sleep, tool_response: {} })
  for (const session of [claude, other]) {
    await session.stop()
    await session.end()
  }
  await syncAll(env)
  const runs = await runsOf(user)
  const commits = new Map(runs.map(({ title, git }) => [title, git?.commits]))
  assert.deepEqual([commits.get('Work'), commits.get('Beside')], [undefined, [git('rev-parse', 'worktree-agent')]])
})

const commit = 'git add -A && git commit -qm Apart'

/** What a session commits in another working tree, and never merges. */
const unmerged: Record<string, (s: ReturnType<typeof sessionIn>) => Promise<unknown>> = {
  'another commit than the tested one': async ({ here, apart }) => {
    await here.write('src/login.ts', 'answer(401)\n')
    await here.run('git commit -qam Login')
    await here.run('sh test.sh')
    await apart().run(`echo new > src/new.ts && ${commit}`)
  },
  'a commit on a branch with other content': async ({ git, cwd, side, here }) => {
    git('checkout', '-q', '-b', 'develop')
    writeFiles(cwd, { 'src/login.ts': 'answer(300)\n' })
    git('commit', '-qam', 'develop')
    git('checkout', '-q', 'main')
    git('worktree', 'add', '-q', side, 'develop')
    await here.run(`cd ${side} && echo 'answer(401)' > src/login.ts && ${commit}`)
    await here.run('sh test.sh')
  },
  'a commit that changes a file of the session': async ({ here, apart }) => {
    await here.write('src/login.ts', 'answer(401)\n')
    await apart().run(`echo 'answer(402)' > src/login.ts && ${commit}`)
    await here.run('sh test.sh')
  },
  'a commit without a branch': async ({ git, side, here }) => {
    git('worktree', 'add', '-q', '--detach', side)
    await here.run(`cd ${side} && echo new > src/new.ts && ${commit}`)
    await here.run('sh test.sh')
  },
}

for (const [what, work] of Object.entries(unmerged)) {
  test(`tests without it do not verify ${what} in another working tree`, async (t) => {
    const s = sessionIn(t)
    await s.claude.prompt('Work')
    await work(s)
    const { run } = await s.ended()
    assert.deepEqual([run.verdict, run.evidence], ['stale', 'executed'])
  })
}

test('a commit that was copied by a cherry-pick is merged', async (t) => {
  const { claude, apart, ended, here } = sessionIn(t)
  await claude.prompt('Work')
  await apart().run(`echo new > src/new.ts && ${commit}`)
  await here.run('echo note > note.txt && git add -A && git commit -qm Note && git cherry-pick worktree-agent')
  await here.write('src/new.ts', 'newer\n')
  await here.run('sh test.sh')
  const { run } = await ended()
  assert.equal(run.verdict, 'verified')
})

test('a session whose shell only went to another working tree works where it began', async (t) => {
  const { claude, ended, cwd, git, side } = sessionIn(t)
  git('worktree', 'add', '-q', '-b', 'side', side)
  await claude.prompt('Work')
  const look = { tool_name: 'Bash', tool_input: { command: `cd ${side} && sh test.sh` }, tool_use_id: 'look' }
  await claude.tell('PreToolUse', look)
  await claude.tell('PostToolUse', { ...look, cwd: side, tool_response: {} })
  await claude.tell('PostToolUse', { tool_name: 'Read', tool_input: {}, tool_use_id: 'read', cwd: side })
  await claude.write('src/login.ts', 'answer(401)\n')
  const { run, diffs } = await ended()
  assert.deepEqual([run.git?.branch, run.verdict, diffs.length], ['main', 'unchecked', 1])
  assert.equal(cwd, run.where?.cwd)
})

test('a line that goes to another working tree and back has what it does here', async (t) => {
  const { claude, ended, here, cwd, git, side } = sessionIn(t)
  git('worktree', 'add', '-q', '-b', 'side', side)
  await claude.prompt('Work')
  await here.run(`cd ${side} && git log -1 && cd ${cwd} && echo new > src/new.ts && git add src && git commit -qm Work`)
  const { run } = await ended()
  assert.deepEqual(run.git?.commits, [git('rev-parse', 'main')])
})

test('odd data of other worktrees does not disturb a session', async (t) => {
  const { claude, ended, here, cwd } = sessionIn(t)
  for (const name of ['HEAD', 'gitdir']) mkdirSync(join(cwd, '.git/worktrees/odd', name), { recursive: true })
  await claude.prompt('Work')
  await here.write('src/login.ts', 'answer(401)\n')
  await here.run(`git checkout -q -b work && ${commit} && git checkout -q main`)
  const { run, diffs } = await ended()
  assert.deepEqual([run.status, diffs.map(([path]) => path)], ['completed', ['src/login.ts']])
})

/** Somebody else, who commits on a branch. */
const bob = {
  ...{ GIT_AUTHOR_NAME: 'Bob', GIT_AUTHOR_EMAIL: 'bob@example.com', GIT_AUTHOR_DATE: '2026-11-02T10:00:00Z' },
  ...{ GIT_COMMITTER_NAME: 'Bob', GIT_COMMITTER_EMAIL: 'bob@example.com', GIT_COMMITTER_DATE: '2026-11-02T10:00:00Z' },
}

test('what others wrote is not its work, also if it commits that in another working tree', async (t) => {
  const user = sessionIn(t)
  const { claude, here, git, cwd, side, env, ledger } = user
  git('config', 'user.email', 'a@b')
  git('config', 'user.name', 'a')
  git('checkout', '-q', '-b', 'feat')
  writeFiles(cwd, { 'bob.txt': 'bob\n' })
  execFileSync('sh', ['-c', commit], { cwd, env: { ...process.env, ...bob } })
  git('checkout', '-q', 'main')
  git('worktree', 'add', '-q', '-b', 'side', side)
  writeFiles(side, { 'src/mine.ts': 'mine\n' })
  await claude.prompt('Work')
  const other = claudeIn(side, env)
  await other.prompt('Beside')
  await other.write('src/other.ts', 'other\n')
  await here.run(`cd ${side} && echo new > src/new.ts && ${commit}`)
  await here.run(`cd ${side} && git cherry-pick feat`)
  for (const session of [claude, other]) {
    await session.stop()
    await session.end()
  }
  await syncAll(env)
  const run = (await runsOf(user)).find(({ title }) => title === 'Work')
  const { files } = await (await ledger()).getDiff({ runId: run?.runId ?? '', limit: 100 })
  assert.deepEqual(
    [run?.changes, files.map(({ path }) => path)],
    [{ files: 1, insertions: 1, deletions: 0 }, ['src/new.ts']],
  )
})

test('tests in a line that first went to another working tree do not verify that one', async (t) => {
  const { claude, ended, here, cwd, git, side } = sessionIn(t)
  git('worktree', 'add', '-q', '-b', 'side', side)
  await claude.prompt('Work')
  await here.run(`cd ${side} && echo new > src/new.ts && ${commit}`)
  await here.run(`cd ${side} && git log -1 && cd ${cwd} && sh test.sh`)
  const { run } = await ended()
  assert.equal(run.verdict, 'stale')
})

for (const [what, work] of [
  ['commits', 'git commit -qam Login'],
  ['leaves uncommitted', 'sh test.sh'],
] as const) {
  test(`what a session ${what} in its first working tree after it tested another one is not verified`, async (t) => {
    const { claude, enter, ended, here } = sessionIn(t)
    await claude.prompt('Work')
    const side = await enter()
    await side.write('src/new.ts', 'new\n')
    await side.run('git add -A && git commit -qm Work')
    await side.run('sh test.sh')
    await claude.tell('PostToolUse', exit)
    await here.write('src/login.ts', 'answer(401)\n')
    await here.run(work)
    const { run } = await ended()
    assert.equal(run.verdict, 'stale')
  })
}

test('a session goes on where it began when the working tree that it entered is merged and removed', async (t) => {
  const { claude, enter, ended, here, git, env } = sessionIn(t)
  await claude.prompt('Work')
  const side = await enter()
  await side.write('src/new.ts', 'new\n')
  await side.run(commit)
  await side.run('sh test.sh')
  await claude.stop()
  await syncAll(env)
  await claude.prompt('Merge')
  await here.run('git merge -q worktree-side && git worktree remove .claude/worktrees/side')
  await here.write('src/login.ts', 'answer(401)\n')
  await here.run('git commit -qam Login')
  const { run, diffs } = await ended()
  assert.deepEqual([run.verdict, run.git?.branch, run.git?.commit], ['stale', 'main', git('rev-parse', 'main')])
  assert.deepEqual(run.git?.commits, git('rev-list', '--reverse', 'main', '-2').split('\n'))
  assert.deepEqual(run.changes, { files: 2, insertions: 2, deletions: 1 })
  assert.deepEqual(
    diffs.map(([path]) => path),
    ['src/login.ts', 'src/new.ts'],
  )
})

test('a session that leaves its tested work in the working tree that it entered is verified by it', async (t) => {
  const { claude, enter, ended, here, git } = sessionIn(t)
  await claude.prompt('Work')
  const side = await enter()
  await side.write('src/new.ts', 'new\n')
  await side.run(commit)
  await side.run('sh test.sh')
  await claude.tell('PostToolUse', exit)
  await here.run('git log -1')
  const { run, diffs } = await ended()
  assert.deepEqual([run.verdict, run.git?.commit, diffs.length], ['verified', git('rev-parse', 'worktree-side'), 1])
})

test('a session cannot prepare the working tree that it enters', async (t) => {
  const { claude, ended, here, side } = sessionIn(t)
  await claude.prompt('Work')
  await here.run(`git worktree add -q -b side ${side}`)
  await here.run(`echo '{ "project": "shop", "checks": { "tests": "true" } }' > ${side}/conduct.json`)
  await claude.tell('PostToolUse', {
    tool_name: 'EnterWorktree',
    tool_input: {},
    tool_use_id: 'e',
    cwd: side,
    tool_response: {},
  })
  await claude.tell('PreToolUse', {
    tool_name: 'Bash',
    tool_input: { command: 'true' },
    tool_use_id: 'true',
    cwd: side,
  })
  await claude.tell('PostToolUse', {
    tool_name: 'Bash',
    tool_input: { command: 'true' },
    tool_use_id: 'true',
    cwd: side,
    tool_response: {},
  })
  const { run } = await ended()
  assert.notEqual(run.verdict, 'verified')
})

test('the rules of both working trees say what to record', async (t) => {
  const { claude, enter, ended, cwd } = sessionIn(t)
  writeFiles(cwd, { 'conduct.json': '{ "project": "shop", "record": { "answers": false } }\n' })
  await claude.prompt('Work')
  await (await enter()).write('src/new.ts', 'new\n')
  const { run } = await ended()
  assert.deepEqual([run.turns.last?.prompt, run.turns.last?.answer], ['Work', undefined])
})
