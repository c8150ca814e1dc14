import assert from 'node:assert/strict'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { conductHere } from './program.ts'
import { workplace } from './session.ts'
import { writeFiles } from './user.ts'

const control = '\u001b]0;title\u0007\u001b[2J'
// biome-ignore lint/suspicious/noControlCharactersInRegex: it looks for one.
const acts = /\x1b|\x07/

test('an import prints no control characters of file names or of what it reads', async (t) => {
  const { env, cwd } = workplace(t)
  const projects = join(env.HOME, '.claude/projects')
  mkdirSync(join(projects, 'demo'), { recursive: true })
  symlinkSync('nowhere', join(projects, 'demo', `x${control}.jsonl`))
  writeFileSync(join(projects, 'demo', `y${control}.jsonl`), '{"sessionId": }\n')
  const claude = await conductHere(['import', 'claude', '--dry-run'], env, cwd)
  assert.match(claude.stderr, /Left out:\n {2}\S+x\.jsonl/)
  assert.doesNotMatch(claude.stdout + claude.stderr, acts)
  const track = {
    specs: [
      { id: `v${control}`, location: `x${control}.md` },
      { id: 'a', location: `y${control}.md` },
    ],
  }
  writeFiles(cwd, { 'conduct.track.json': JSON.stringify({ ...track, [`odd${control}`]: 1 }) })
  const tracked = await conductHere(['import', 'conduct-v0', '.', '--dry-run'], env, cwd)
  assert.match(tracked.stderr, /Left out:/)
  assert.doesNotMatch(tracked.stdout + tracked.stderr, acts)
})

test('no command prints what a file contains that conduct.json leads to', async (t) => {
  const { env, cwd, folder } = workplace(t)
  const path = join(cwd, 'conduct.json')
  writeFiles(folder, { secret: 'password: hunter2\n' })
  writeFiles(cwd, { '.env': 'password: hunter2\n' })
  for (const [target, why] of [
    ['../secret', /leads through a link out of/],
    ['.env', /conduct.json/],
    ['/dev/zero', /leads through a link out of/],
  ] as const) {
    rmSync(path)
    symlinkSync(target, path)
    for (const words of [['doctor'], ['status'], ['init', '--dry-run'], ['init', '--yes'], ['run', 'list']]) {
      const { code, stdout, stderr } = await conductHere(words, env, cwd)
      assert.notEqual(code, 0, `${words.join(' ')} with ${target}`)
      assert.match(stdout + stderr, why)
      assert.doesNotMatch(stdout + stderr, /hunter2|password/)
    }
  }
})

test('a file that init reads may be neither large nor a pipe', async (t) => {
  const { env, cwd } = workplace(t)
  writeFiles(cwd, { 'AGENTS.md': 'x'.repeat(1_048_577) })
  const { code, stderr } = await conductHere(['init', '--yes', '--agents', 'claude'], env, cwd)
  assert.equal(code, 1)
  assert.match(stderr, /AGENTS\.md is larger than 1,048,576 bytes\. Nothing was written/)
})
