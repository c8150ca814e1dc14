import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claudeIn, onlyRun, syncAll, workplace } from './session.ts'

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
