import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { claudeIn, onlyRun, syncAll, workplace } from './session.ts'
import { gitIn } from './user.ts'

/** A session in a linked working tree, and how to merge and remove that. */
function linkedIn(t: TestContext) {
  const user = workplace(t)
  const linked = join(user.env.HOME, 'linked')
  user.git('worktree', 'add', '-q', '-b', 'side', linked)
  const remove = `cd ${user.cwd} && git merge -q side && git worktree remove --force ${linked}`
  return { ...user, linked, claude: claudeIn(linked, user.env), remove }
}

const commit = 'git add -A && git commit -q -m work'

const ways: [what: string, work: (claude: ReturnType<typeof claudeIn>) => Promise<void>][] = [
  ['a tool', (claude) => claude.write('a.txt', 'one\n')],
  ['a command', (claude) => claude.run('echo one > a.txt')],
]

for (const [what, work] of ways) {
  test(`a session that removes its working tree has the commits and diffs of what ${what} wrote`, async (t) => {
    const user = linkedIn(t)
    const { claude, git, ledger } = user
    await claude.prompt('Go')
    await work(claude)
    await claude.run(commit)
    const made = gitIn(user.linked)('rev-parse', 'HEAD')
    await claude.run(user.remove)
    await claude.stop()
    await claude.end()
    await syncAll(user.env)
    const run = await onlyRun(user)
    assert.equal(git('rev-parse', 'main'), made)
    assert.deepEqual(run.turns.last?.files, [{ path: 'a.txt', insertions: 1, deletions: 0 }])
    assert.deepEqual(run.changes, { files: 1, insertions: 1, deletions: 0 })
    const { branch, commits, tree, dirty } = run.turns.last?.git ?? {}
    assert.deepEqual([branch, commits, tree, dirty], ['side', [made], git('rev-parse', 'main^{tree}'), false])
    const { files } = await (await ledger()).getDiff({ runId: run.runId })
    assert.deepEqual(
      files.map(({ path, patch }) => [path, patch]),
      [['a.txt', '@@ -0,0 +1 @@\n+one\n']],
    )
  })
}

const unseen: [what: string, last: (user: ReturnType<typeof linkedIn>) => Promise<unknown>][] = [
  ['a command commits and removes it', ({ claude, remove }) => claude.run(`${commit} && ${remove}`)],
  [
    'a tool writes after the last command',
    async ({ claude, git, linked }) => {
      await claude.run(commit)
      await claude.write('a.txt', 'two\n')
      git('worktree', 'remove', '--force', linked)
    },
  ],
]

for (const [what, last] of unseen) {
  test(`a session says nothing of git about a working tree that is removed once ${what}`, async (t) => {
    const user = linkedIn(t)
    const { claude } = user
    await claude.prompt('Go')
    await claude.write('a.txt', 'one\n')
    await last(user)
    await claude.stop()
    await claude.end()
    await syncAll(user.env)
    const { turns, changes, status } = await onlyRun(user)
    assert.deepEqual([turns.last?.files, turns.last?.git], [[{ path: 'a.txt' }], undefined])
    assert.deepEqual([changes, status], [{ files: 1 }, 'completed'])
  })
}
