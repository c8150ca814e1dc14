import assert from 'node:assert/strict'
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { standFor } from '../../src/system/disk.ts'
import type { System } from '../../src/system/system.ts'
import { freshFolder } from '../cli/folder.ts'

function places(t: TestContext) {
  const folder = freshFolder(t)
  mkdirSync(join(folder, 'git'))
  mkdirSync(join(folder, 'ours'))
  const [target, path] = ['git', 'ours'].map((one) => join(folder, one, 'packed-refs')) as [string, string]
  return { target, path, stand: (system: System) => standFor(path, target, system), ours: join(folder, 'ours') }
}

test('where links to files need rights, a copy stands for a file, as new as the last call', (t) => {
  const { target, path, stand, ours } = places(t)
  stand('windows')
  assert.deepEqual(readdirSync(ours), [])
  for (const text of ['one', 'two']) {
    writeFileSync(target, text)
    stand('windows')
    assert.equal(readFileSync(path, 'utf8'), text)
    assert.ok(lstatSync(path).isFile())
  }
  rmSync(target)
  stand('windows')
  assert.deepEqual(readdirSync(ours), [])
})

for (const system of ['posix', 'windows'] satisfies System[]) {
  test(`a link stands for a folder, also the second time, on ${system}`, (t) => {
    const { target, path, stand } = places(t)
    mkdirSync(target)
    stand(system)
    stand(system)
    writeFileSync(join(target, 'a'), 'a')
    assert.equal(readFileSync(join(path, 'a'), 'utf8'), 'a')
  })
}

test('on POSIX, a link stands for what does not exist yet', (t) => {
  const { target, path, stand } = places(t)
  stand('posix')
  writeFileSync(target, 'one')
  assert.equal(readFileSync(path, 'utf8'), 'one')
})
