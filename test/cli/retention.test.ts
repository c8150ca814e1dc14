import assert from 'node:assert/strict'
import { programOf } from './program.ts'
import { testPlaces } from './user.ts'

testPlaces('a project forgets old runs, and is deleted by its name', async ({ env, cwd }) => {
  const { all, run, json } = programOf(env, cwd)
  const fails = async (words: string) => {
    const { code, stderr } = await all(words)
    assert.notEqual(code, 0)
    return stderr
  }
  const { run: old } = await json('run create --title old --status completed --ended-at 2020-01-31T09:30:00Z')
  await json('run create --run-id KEPT --title kept --status failed --ended-at 2020-01-31T09:30:00Z')
  const slug = old.project
  for (const words of ['forget --dry-run', 'forget']) {
    assert.match(
      (await all(words)).stderr,
      new RegExp(`^The project '${slug}' has no retention, so it keeps everything`),
    )
  }
  const days = '--retention-content-days 30 --retention-run-days 90'
  const { project } = await json(`project update ${slug} ${days} --retention-keep-failed true --retention-keep-label a`)
  assert.deepEqual(project.retention, { contentDays: 30, runDays: 90, keep: { failed: true, labels: ['a'] } })
  assert.match(await run(`project get ${slug}`), /^retention\.runDays: +90$/m)
  const counted = await json('forget --dry-run')
  assert.deepEqual([counted.deleted.runs, counted.deleted.oldest, counted.dryRun], [1, old.endedAt, true])
  assert.match(await run('forget --dry-run'), /^deleted\.runs: +1$/m)
  assert.match(await run('forget'), /^deleted\.runs: +1$/m)
  assert.equal((await all('forget')).stderr, `The retention of the project '${slug}' removes nothing now.\n`)
  assert.match(await run('run list'), /^KEPT +failed/m)
  assert.match(await fails(`project update ${slug} --retention-content-days 0`), /--retention-content-days/)
  const changed = await json(`project update ${slug} --retention-run-days 60`)
  assert.deepEqual(changed.project.retention, { contentDays: 30, runDays: 60, keep: { failed: true, labels: ['a'] } })
  const another = await json(`project update ${slug} --retention-keep-label b --if-version ${changed.project.version}`)
  assert.deepEqual(another.project.retention.keep, { failed: true, labels: ['b'] })
  assert.match(await fails(`project update ${slug} --retention-run-days 60 --dry-run`), /cannot look up the rest/)
  assert.equal((await json(`project update ${slug} --clear retention`)).project.retention, null)

  assert.match(
    await fails(`project update ${slug} --retention-keep-failed true`),
    /without them, the project keeps all runs/,
  )

  await json("project create --slug gone --name 'Long gone'")
  assert.match(await fails('project delete gone'), /--confirm <name>/)
  assert.match(
    await fails('project delete gone --confirm gone'),
    /--confirm must be the name of the project, 'Long gone'/,
  )
  assert.match(await run("project delete gone --confirm 'Long gone'"), /deleted/)
  assert.match(await fails('project get gone'), /no project 'gone'/)
})
