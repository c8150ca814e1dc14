import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  agentProcessOf,
  ancestorsOf,
  isGone,
  type ProcessId,
  sameProcess,
  thisProcess,
} from '../../src/capture/spool/process.ts'
import { lookByOnePs, lookByPs } from '../../src/system/processes.ts'
import { freshFolder } from './folder.ts'

const module = new URL('../../src/capture/spool/process.ts', import.meta.url).href
const system = new URL('../../src/system/processes.ts', import.meta.url).href

/** How long `ps` may take here, in milliseconds. */
const withinMs = 20_000

/**
 * A folder with `agent.mjs SCRIPT`, which runs a shell script as an agent does, and with a `conduct hook` that prints
 * the process of its agent.
 */
function agentIn(t: TestContext, look = '') {
  const folder = freshFolder(t)
  const hook = `import { agentProcessOf, ancestorsOf } from '${module}'
    import { lookByOnePs, lookByPs } from '${system}'
    const agent = agentProcessOf(process.pid, ${look})
    console.log(JSON.stringify({ agent, ancestors: ancestorsOf(process.pid, ${look}), parent: process.ppid }))`
  writeFileSync(join(folder, 'hook.mjs'), hook)
  const start = `require('node:child_process').execFileSync(process.execPath, ['hook.mjs'], { stdio: 'inherit' })`
  writeFileSync(join(folder, 'conduct.cjs'), start)
  writeFileSync(
    join(folder, 'agent.mjs'),
    `import { execSync } from 'node:child_process'
    const told = JSON.parse(execSync(process.argv[2], { encoding: 'utf8' }))
    console.log(JSON.stringify({ ...told, pid: process.pid }))`,
  )
  const told = (script: string, start = script) => {
    writeFileSync(join(folder, 'script.sh'), script)
    return JSON.parse(execFileSync(process.execPath, ['agent.mjs', start], { cwd: folder, encoding: 'utf8' })) as {
      agent: ProcessId
      ancestors: { id: ProcessId; words: string[] }[]
      parent: number
      pid: number
    }
  }
  return told
}

const scripts = [
  `${process.execPath} hook.mjs`,
  `bash -lc 'true; ${process.execPath} hook.mjs; true'`,
  `sh -c 'env A=b sh -c "${process.execPath} conduct.cjs hook claude; true"; true'`,
  `${process.execPath} conduct.cjs mcp`,
  `${process.execPath} -e "require('child_process').execFileSync(process.execPath, ['hook.mjs'], { stdio: 'inherit' })"`,
]

test("the process of a hook's agent is found past shells, scripts in arguments and Conduct's own launcher", (t) => {
  const told = agentIn(t)
  for (const script of scripts) {
    const { agent, ancestors, pid } = told(script)
    assert.equal(agent.pid, pid, script)
    assert.ok(ancestors.some(({ id }) => sameProcess(id, thisProcess())))
    assert.deepEqual(ancestors.find(({ id }) => id.pid === pid)?.words, [process.execPath, 'agent.mjs', script])
  }
})

test('an unknown process has no ancestors', () => {
  assert.deepEqual([ancestorsOf(2 ** 22 + 1), agentProcessOf(2 ** 22 + 1)], [[], undefined])
})

test('a process id that was used again is another process', async () => {
  const child = spawn('sleep', ['60'])
  await once(child, 'spawn')
  const [seen] = ancestorsOf(child.pid ?? 0)
  assert.ok(seen && sameProcess(seen.id, thisProcess()))
  assert.equal(sameProcess(seen.id, { ...seen.id, started: '1' }), false)
  assert.equal(isGone(seen.id), false)
  child.kill()
  await once(child, 'exit')
})

test('ps gives the same result without /proc, in any time zone', async () => {
  const seen = lookByPs(process.pid, withinMs)
  assert.equal(seen?.parent, process.ppid)
  assert.ok(seen?.words.join(' ').includes('process.test.ts'), seen?.words.join(' '))
  const before = process.env.TZ
  process.env.TZ = 'Asia/Tokyo'
  assert.equal(lookByPs(process.pid, withinMs)?.started, seen?.started)
  if (before === undefined) delete process.env.TZ
  else process.env.TZ = before
  assert.equal(lookByPs(2 ** 22 + 1, withinMs), undefined)
})

/** Puts a `ps` first on the PATH that reads its options like those of macOS and the BSDs. */
function withPsOfMacOS(t: TestContext) {
  const folder = freshFolder(t)
  const script = `#!/bin/sh
# What follows an equals sign is the heading of that one column, commas included.
for word; do
  case $before in -o) word="\${word%%=*}="; set -- "$@" "$word" ;; *) set -- "$@" "$word" ;; esac
  shift
  before=$word
done
exec ${execFileSync('sh', ['-c', 'command -v ps'], { encoding: 'utf8' }).trim()} "$@"
`
  writeFileSync(join(folder, 'ps'), script)
  chmodSync(join(folder, 'ps'), 0o755)
  const { PATH } = process.env
  process.env.PATH = `${folder}:${PATH}`
  t.after(() => {
    process.env.PATH = PATH
  })
}

test("the ps of macOS finds the process of a hook's agent, as /proc does", (t) => {
  withPsOfMacOS(t)
  for (const look of [`(pid) => lookByPs(pid, ${withinMs})`, `lookByOnePs(${withinMs})`]) {
    const told = agentIn(t, look)
    for (const script of scripts) {
      // The script is in a file, because `ps` does not show where an argument ends.
      const { agent, ancestors, pid } = told(script, 'sh script.sh')
      assert.equal(agent?.pid, pid, `${look}: ${script}`)
      assert.ok(ancestors.some(({ id }) => id.pid === process.pid))
    }
  }
  assert.deepEqual(lookByOnePs(withinMs)(process.pid), lookByPs(process.pid, withinMs))
  assert.equal(isGone({ ...thisProcess(), pid: 2 ** 22 + 1 }), true)
})
