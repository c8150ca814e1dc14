import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claudeIn, onlyRun, syncAll, workplace } from './session.ts'
import { writeFiles } from './user.ts'

// A session that commits its work and leaves it by a checkout.

const commit = 'git add -A && git commit -qm Work'

for (const [what, lines, branch] of [
  ['a branch', ['git checkout -q -b work', commit, 'git checkout -q main'], 'work'],
  ['a branch in one line', [`git checkout -q -b work && ${commit} && git checkout -q main`], 'work'],
  ['two branches', [`git checkout -q -b work && ${commit}`, 'git checkout -q main', 'git checkout -q -b next'], 'work'],
  ['main, by a new branch', [commit, 'git checkout -q -b next'], 'next'],
  ['a detached HEAD', ['git checkout -q --detach', commit], undefined],
  ['a detached HEAD that it left', ['git checkout -q --detach', commit, 'git checkout -q main'], undefined],
] as const) {
  test(`without a check, work that was committed on ${what} has its own branch, commit and tree`, async (t) => {
    const user = workplace(t)
    const { env, cwd, git } = user
    const claude = claudeIn(cwd, env)
    await claude.prompt('Work')
    await claude.write('src/login.ts', 'answer(401)\n')
    for (const line of lines) await claude.run(line)
    await claude.stop()
    await claude.end()
    await syncAll(env)
    const { git: work } = await onlyRun(user)
    const [made] = work?.commits ?? []
    assert.deepEqual([work?.branch, work?.commit], [branch, made])
    assert.deepEqual([work?.tree, work?.commitTree], Array(2).fill(git('rev-parse', `${made}^{tree}`)))
  })
}

test('a file that was committed on a branch that the session left has its diff', async (t) => {
  const user = workplace(t)
  const { env, cwd, git, ledger } = user
  const claude = claudeIn(cwd, env)
  const told = async (turn?: number) => {
    await claude.stop()
    await syncAll(env)
    const { runId, changes } = await onlyRun(user)
    const { files } = await (await ledger()).getDiff({ runId, limit: 100, ...(turn !== undefined && { turn }) })
    return [changes, files.map(({ path, status, patch }) => [path, status, patch])]
  }
  await claude.prompt('Work')
  await claude.write('src/login.ts', 'answer(401)\n')
  await claude.write('src/new.ts', 'new\n')
  await claude.run(`git checkout -q -b work && ${commit}`)
  await claude.run('git checkout -q main')
  await claude.run(`echo note > notes.txt && ${commit}`)
  const login = ['src/login.ts', 'modified', '@@ -1 +1 @@\n-answer(500)\n+answer(401)\n']
  const [made, notes] = [
    ['src/new.ts', 'added', '@@ -0,0 +1 @@\n+new\n'],
    ['notes.txt', 'added', '@@ -0,0 +1 @@\n+note\n'],
  ]
  assert.deepEqual(await told(), [{ files: 3, insertions: 3, deletions: 1 }, [notes, login, made]])
  // Nothing of it changes in a turn that merges it.
  await claude.prompt('Merge')
  await claude.run('git merge -q --no-edit work && echo more >> notes.txt')
  const more = ['notes.txt', 'modified', '@@ -1 +1,2 @@\n note\n+more\n']
  assert.deepEqual(await told(2), [{ files: 3, insertions: 4, deletions: 1 }, [more]])
  await claude.prompt('Undo')
  await claude.run('git checkout -q -b other && git branch -D -q main work && git reset -q --hard HEAD~2')
  assert.deepEqual((await told())[1], [])
  assert.equal(git('branch', '--format=%(refname:short)'), 'other')
})

test('a file that differed where the branch began has no diff of what others wrote', async (t) => {
  const user = workplace(t)
  const { env, cwd, git, ledger } = user
  git('checkout', '-q', '-b', 'older')
  writeFiles(cwd, { 'src/login.ts': 'answer(502)\nolder()\n' })
  git('commit', '-q', '-a', '-m', 'older')
  git('checkout', '-q', 'main')
  const claude = claudeIn(cwd, env)
  await claude.prompt('Work')
  await claude.run(`git checkout -q older && sed -i s/502/401/ src/login.ts && ${commit} && git checkout -q main`)
  await claude.run(`echo note > notes.txt && ${commit}`)
  await claude.stop()
  await syncAll(env)
  const { runId, changes } = await onlyRun(user)
  assert.deepEqual(changes, { files: 2, insertions: 2, deletions: 1 })
  const { files } = await (await ledger()).getDiff({ runId, limit: 100 })
  assert.deepEqual(
    files.map(({ path }) => path),
    ['notes.txt'],
  )
})
