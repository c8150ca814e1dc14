import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { globSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { forgetObjects } from '../../src/capture/hook/objects.ts'
import { stateOf } from '../../src/capture/spool/state-file.ts'
import { folders } from '../../src/place/folders.ts'
import { snapshot } from '../../src/place/git/tree.ts'
import { claudeIn, onlyRun, syncAll, workplace } from './session.ts'
import { writeFiles } from './user.ts'

type Place = ReturnType<typeof workplace>

const rootOf = ({ env }: Place) => join(folders.state(env), 'objects')

/** Makes all objects an hour older, so that the recorder takes none for one that a hook has just stored. */
function age(place: Place) {
  const before = Date.now() / 1000 - 3_600
  for (const path of globSync('*/{[0-9a-f][0-9a-f],pack}/*', { cwd: rootOf(place) })) {
    utimesSync(join(rootOf(place), path), before, before)
  }
}

/** Looks for objects to delete, as the recorder does every ten minutes. */
function look({ env, ...place }: Place) {
  rmSync(join(rootOf({ env, ...place }), '.looked'), { recursive: true, force: true })
  using state = stateOf(env)
  forgetObjects(state, env)
}

/** Which of these contents the objects have. */
function keptOf(place: Place, contents: string[]): string[] {
  const ids = new Set(
    globSync('*/[0-9a-f][0-9a-f]/*', { cwd: rootOf(place) }).map((path) => path.slice(-41).replace(/[\\/]/, '')),
  )
  return contents.filter((content) => ids.has(hash('sha1', `blob ${content.length + 1}\0${content}\n`)))
}

async function diffsOf({ ledger }: Place, turn?: number) {
  const client = await ledger()
  const { runId } = await onlyRun({ ledger })
  const { files } = await client.getDiff({ runId, ...(turn !== undefined && { turn }) })
  return files.map(({ path, patch }) => [path, patch?.replace(/^@@.*\n/, '')])
}

test('objects stay as long as a diff needs them, and go once their turn is sent', async (t) => {
  const place = workplace(t)
  const { env, cwd } = place
  const contents = ['before', 'one', 'two', 'three', 'between', 'four']
  writeFiles(cwd, { 'a.ts': 'before\n' })
  const claude = claudeIn(cwd, env)
  const turn = async (content: string) => {
    await claude.prompt(`Write ${content}`)
    await claude.write('a.ts', `${content}\n`)
    await claude.stop()
  }
  for (const content of ['one', 'two']) await turn(content)
  age(place)
  look(place)
  assert.deepEqual(keptOf(place, contents), ['before', 'one', 'two'], 'nothing is sent yet')
  await syncAll(env)
  assert.deepEqual(await diffsOf(place, 1), [['a.ts', '-before\n+one\n']])
  assert.deepEqual(await diffsOf(place, 2), [['a.ts', '-one\n+two\n']])
  await turn('three')
  await syncAll(env)
  look(place)
  assert.deepEqual(keptOf(place, contents), ['before', 'three'], 'those of sent turns, unless they are new')
  // Stored by a hook that records nothing of it, as the beginning of a command that fails.
  writeFiles(cwd, { 'a.ts': 'between\n' })
  const [name = ''] = globSync('*', { cwd: rootOf(place) })
  snapshot(cwd, join(rootOf(place), name))
  age(place)
  look(place)
  assert.deepEqual(keptOf(place, contents), ['before', 'three', 'between'], 'the next snapshot takes it from the index')
  await turn('four')
  await syncAll(env)
  assert.deepEqual(await diffsOf(place, 4), [['a.ts', '-three\n+four\n']])
  assert.deepEqual(await diffsOf(place), [['a.ts', '-before\n+four\n']])
  await claude.end()
  await syncAll(env)
  age(place)
  look(place)
  assert.deepEqual(keptOf(place, contents), ['before', 'four'], 'a session may be resumed')
})

test('the packs of large files go, too, and what a killed git has left of one', async (t) => {
  const place = workplace(t)
  const { env, cwd } = place
  const claude = claudeIn(cwd, env)
  await claude.prompt('Build it')
  for (const letter of 'abc') await claude.run(`head -c 17000000 /dev/zero | tr '\\0' ${letter} > big`)
  await claude.stop()
  await syncAll(env)
  const packs = () => globSync('*/pack/*', { cwd: rootOf(place) }).filter((path) => !path.endsWith('.rev')).length
  const [name = ''] = globSync('*', { cwd: rootOf(place) })
  writeFileSync(join(rootOf(place), name, 'pack/tmp_pack_a'), 'half')
  assert.equal(packs(), 7)
  age(place)
  look(place)
  assert.equal(packs(), 6, 'the ends of commands may be reported again')
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 700_000 })
  {
    using state = stateOf(env)
    state.forgetActs()
  }
  t.mock.timers.reset()
  age(place)
  look(place)
  assert.equal(packs(), 2, 'the next snapshot begins with the index')
})
