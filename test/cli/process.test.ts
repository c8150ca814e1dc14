import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  agentProcessOf,
  ancestorsOf,
  isGone,
  lookByPs,
  type ProcessId,
  sameProcess,
  thisProcess,
} from '../../src/spool/process.ts'
import { freshFolder } from './folder.ts'

const module = new URL('../../src/spool/process.ts', import.meta.url).href

/** A folder with `agent.mjs SCRIPT`, which runs a shell script as an agent does, and `conduct hook`, which tells its agent. */
function agentIn(t: TestContext) {
  const folder = freshFolder(t)
  const hook = `import { agentProcessOf, ancestorsOf } from '${module}'
    console.log(JSON.stringify({ agent: agentProcessOf(), ancestors: ancestorsOf(process.pid), parent: process.ppid }))`
  writeFileSync(join(folder, 'hook.mjs'), hook)
  const start = `require('node:child_process').execFileSync(process.execPath, ['hook.mjs'], { stdio: 'inherit' })`
  writeFileSync(join(folder, 'conduct.cjs'), start)
  writeFileSync(
    join(folder, 'agent.mjs'),
    `import { execSync } from 'node:child_process'
    const told = JSON.parse(execSync(process.argv[2], { encoding: 'utf8' }))
    console.log(JSON.stringify({ ...told, pid: process.pid }))`,
  )
  const told = (script: string) =>
    JSON.parse(execFileSync(process.execPath, ['agent.mjs', script], { cwd: folder, encoding: 'utf8' })) as {
      agent: ProcessId
      ancestors: { id: ProcessId; words: string[] }[]
      parent: number
      pid: number
    }
  return told
}

test("a hook's agent is found over shells, scripts in arguments and our own start", (t) => {
  const told = agentIn(t)
  for (const script of [
    `${process.execPath} hook.mjs`,
    `bash -lc 'true; ${process.execPath} hook.mjs; true'`,
    `sh -c 'env A=b sh -c "${process.execPath} conduct.cjs hook claude; true"; true'`,
    `${process.execPath} conduct.cjs mcp`,
    `${process.execPath} -e "require('child_process').execFileSync(process.execPath, ['hook.mjs'], { stdio: 'inherit' })"`,
  ]) {
    const { agent, ancestors, pid } = told(script)
    assert.equal(agent.pid, pid, script)
    assert.ok(ancestors.some(({ id }) => sameProcess(id, thisProcess())))
    assert.deepEqual(ancestors.find(({ id }) => id.pid === pid)?.words, [process.execPath, 'agent.mjs', script])
  }
})

test('a process whose ancestors nobody shows has none', () => {
  assert.deepEqual([ancestorsOf(2 ** 22 + 1), agentProcessOf(2 ** 22 + 1)], [[], undefined])
})

test('a number that is used again is another process', async () => {
  const child = spawn('sleep', ['60'])
  await once(child, 'spawn')
  const [seen] = ancestorsOf(child.pid ?? 0)
  assert.ok(seen && sameProcess(seen.id, thisProcess()))
  assert.equal(sameProcess(seen.id, { ...seen.id, started: '1' }), false)
  assert.equal(isGone(seen.id), false)
  child.kill()
  await once(child, 'exit')
})

test('ps tells the same where there is no /proc, whatever the time zone', async () => {
  const seen = lookByPs(process.pid)
  assert.equal(seen?.parent, process.ppid)
  assert.ok(seen?.words.join(' ').includes('process.test.ts'), seen?.words.join(' '))
  const before = process.env.TZ
  process.env.TZ = 'Asia/Tokyo'
  assert.equal(lookByPs(process.pid)?.started, seen?.started)
  if (before === undefined) delete process.env.TZ
  else process.env.TZ = before
  assert.equal(lookByPs(2 ** 22 + 1), undefined)
})
