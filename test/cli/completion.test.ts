import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { freshFolder, homeOf } from './folder.ts'
import { programOf } from './program.ts'

test('bash completes commands, flags and their values', async (t) => {
  const folder = freshFolder(t)
  const script = join(folder, 'completion.bash')
  writeFileSync(script, await programOf(homeOf(folder)).run('completion bash'))
  const completed = (words: string[]) => {
    const line = words.map((word) => `'${word}'`).join(' ')
    const text = `source '${script}'; COMP_WORDS=(conduct ${line}); COMP_CWORD=${words.length}; _conduct; echo "\${COMPREPLY[@]}"`
    return execFileSync('bash', ['-u', '-c', text], { encoding: 'utf8' }).trim().split(' ')
  }
  assert.ok(['run', 'serve', 'help'].every((name) => completed(['']).includes(name)))
  assert.deepEqual(
    completed(['ser']),
    ['serve', 'search'].filter((name) => name.startsWith('ser')),
  )
  assert.deepEqual(completed(['run', 'cr']), ['create'])
  assert.deepEqual(completed(['--profile', 'work', 'run', 'cr']), ['create'])
  assert.deepEqual(completed(['run', 'list', '--status', '']), ['pending', 'in_progress', 'completed', 'failed'])
  assert.deepEqual(completed(['run', 'update', 'RUN-001', '--statu']), ['--status'])
  assert.deepEqual(completed(['completion', 'z']), ['zsh'])
  assert.deepEqual(completed(['run', 'get', 'RUN']), [''])
})

test('the zsh completion is valid, if zsh is installed', async (t) => {
  const script = await programOf(homeOf(freshFolder(t))).run('completion zsh')
  assert.match(script, /^#compdef conduct\n/)
  const { error, stderr } = spawnSync('zsh', ['-n'], { input: script, encoding: 'utf8' })
  if (error) t.diagnostic('no zsh here')
  else assert.equal(stderr, '')
})
