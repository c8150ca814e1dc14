import assert from 'node:assert/strict'
import { appendFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { snapshot } from '../../src/place/git/tree.ts'
import { freshFolder } from './folder.ts'
import { plainTree, uncommittedPaths } from './plain-tree.ts'
import { gitIn, writeFiles } from './user.ts'

const fileProtocol = ['-c', 'protocol.file.allow=always']

/** A repository with a submodule `lib`, which has a submodule `deep` of its own; all are committed. */
function family(t: TestContext) {
  const folder = freshFolder(t)
  const made = (name: string, module?: string) => {
    const cwd = join(folder, name)
    const git = gitIn(cwd)
    gitIn(folder)('init', '-q', '-b', 'main', name)
    writeFiles(cwd, { [`${name}.txt`]: 'one\n', '.gitignore': 'ignored\n' })
    if (module) git(...fileProtocol, 'submodule', '--quiet', 'add', join(folder, module), module)
    git('add', '-A')
    git('commit', '-qm', 'first')
    return { cwd, git }
  }
  made('deep')
  made('lib', 'deep')
  const { cwd, git } = made('main', 'lib')
  git(...fileProtocol, 'submodule', '--quiet', 'update', '--init', '--recursive')
  const objects = join(freshFolder(t), 'objects')
  const take = () => snapshot(cwd, objects)
  /** What a snapshot says, after a check of its tree. */
  const told = (what: string, modules = ['lib/deep', 'lib']) => {
    const now = take()
    assert.equal(now?.tree, plainTree(cwd, modules), what)
    return { uncommitted: now && uncommittedPaths(now), isClean: now?.tree === now?.commitTree, dirty: now?.git.dirty }
  }
  return { cwd, git, lib: gitIn(join(cwd, 'lib')), deep: gitIn(join(cwd, 'lib/deep')), take, told }
}

const clean = { uncommitted: [], isClean: true, dirty: false }

test('a submodule stands in the tree with its own files', (t) => {
  const { cwd, told } = family(t)
  assert.deepEqual(told('all is committed'), clean)
  writeFiles(cwd, { 'lib/lib.txt': 'two\n' })
  assert.deepEqual(told('an edit'), { uncommitted: ['lib/lib.txt'], isClean: false, dirty: true })
  writeFiles(cwd, { 'lib/lib.txt': 'one\n', 'lib/deep/new': 'x\n', 'lib/ignored': 'x\n' })
  assert.deepEqual(told('a new file'), { uncommitted: ['lib/deep/new'], isClean: false, dirty: false })
  rmSync(join(cwd, 'lib/deep/new'))
  assert.deepEqual(told('all is as before'), clean)
})

test('work that is committed inside and outside is the work that was there before', (t) => {
  const { cwd, git, lib, deep, take, told } = family(t)
  writeFiles(cwd, { 'lib/deep/deep.txt': 'two\n', 'lib/lib.txt': 'two\n', 'main.txt': 'two\n' })
  const before = take()?.tree
  deep('commit', '-qam', 'second')
  assert.equal(take()?.tree, before)
  lib('commit', '-qam', 'second')
  const inside = told('only inside')
  assert.deepEqual(inside.uncommitted, ['lib/deep/deep.txt', 'lib/lib.txt', 'main.txt'])
  git('commit', '-qam', 'second')
  assert.equal(take()?.tree, before)
  assert.deepEqual(told('inside and outside'), clean)
})

test('a submodule that is not checked out stands with its commit', (t) => {
  const { git, lib, take } = family(t)
  git('submodule', '--quiet', 'deinit', '-f', 'lib')
  const now = take()
  assert.deepEqual([now?.tree, now?.commitTree], [git('rev-parse', 'HEAD^{tree}'), git('rev-parse', 'HEAD^{tree}')])
  git(...fileProtocol, 'submodule', '--quiet', 'update', '--init')
  assert.ok(lib('rev-parse', 'HEAD'))
  const out = take()
  assert.equal(out?.tree, out?.commitTree, 'checked out, without its own submodule')
  assert.notEqual(out?.tree, now?.tree)
})

test('a commit that the submodule lacks is not the work that is there', (t) => {
  const { git, take } = family(t)
  git('update-index', '--cacheinfo', `160000,${'1'.repeat(40)},lib`)
  git('commit', '-qm', 'a commit from elsewhere')
  const now = take()
  assert.notEqual(now?.tree, now?.commitTree)
  assert.ok(now?.git.dirty)
})

test('a file that assume-unchanged or skip-worktree hides is read', (t) => {
  const { cwd, git, lib, take, told } = family(t)
  writeFiles(cwd, { 'a.txt': 'one\n', 'b.txt': 'one\n', 'gone.txt': 'one\n' })
  git('add', '-A')
  git('commit', '-qm', 'more')
  git('update-index', '--assume-unchanged', 'a.txt', 'gone.txt')
  git('update-index', '--skip-worktree', 'b.txt', 'main.txt')
  lib('update-index', '--assume-unchanged', '--skip-worktree', 'lib.txt')
  for (const path of ['gone.txt', 'main.txt']) rmSync(join(cwd, path))
  const before = take()
  assert.equal(before?.tree, before?.commitTree, 'a hidden file that is gone counts as it was')
  for (const path of ['a.txt', 'b.txt', 'lib/lib.txt']) {
    appendFileSync(join(cwd, path), 'two\n')
    assert.ok(uncommittedPaths(take() as never)?.includes(path), path)
  }
  for (const path of ['gone.txt', 'main.txt']) writeFileSync(join(cwd, path), 'two\n')
  assert.deepEqual(uncommittedPaths(take() as never), ['a.txt', 'b.txt', 'gone.txt', 'lib/lib.txt', 'main.txt'])
  git('update-index', '--no-assume-unchanged', 'a.txt', 'gone.txt')
  git('update-index', '--no-skip-worktree', 'b.txt', 'main.txt')
  lib('update-index', '--no-assume-unchanged', '--no-skip-worktree', 'lib.txt')
  assert.equal(told('nothing is hidden').dirty, true)
})

test('a sparse checkout has the tree of all its files', (t) => {
  const { cwd, git, take } = family(t)
  writeFiles(cwd, { 'in/a': 'one\n', 'out/b': 'one\n' })
  git('add', '-A')
  git('commit', '-qm', 'more')
  const whole = take()?.tree
  for (const way of [['--cone'], ['--no-cone'], ['--cone', '--sparse-index']]) {
    git('sparse-checkout', 'set', ...way, 'in')
    assert.deepEqual([take()?.tree, take()?.git.dirty], [whole, false], way.join(' '))
    writeFiles(cwd, { 'in/a': 'two\n', 'out/b': 'two\n' })
    assert.deepEqual(uncommittedPaths(take() as never), ['in/a', 'out/b'], way.join(' '))
    rmSync(join(cwd, 'out'), { recursive: true })
    git('checkout', '-q', '.')
  }
})

test('a linked working tree has its own tree, and is no part of the one around it', (t) => {
  const { cwd, git, take } = family(t)
  const before = take()?.tree
  git('worktree', 'add', '-q', '-b', 'side', join(cwd, '.worktrees/side'))
  writeFiles(cwd, { '.worktrees/side/main.txt': 'two\n' })
  assert.equal(take()?.tree, before)
  const side = snapshot(join(cwd, '.worktrees/side'), join(freshFolder(t), 'objects'))
  assert.deepEqual([side?.git.branch, side && uncommittedPaths(side)], ['side', ['main.txt']])
})

test('line breaks that git converts make no difference', (t) => {
  const { cwd, git, take } = family(t)
  const before = take()
  git('config', 'core.autocrlf', 'true')
  writeFiles(cwd, { 'main.txt': 'one\r\n' })
  const now = take()
  assert.deepEqual([now?.tree, now?.commitTree, now?.git.dirty], [before?.tree, before?.commitTree, false])
})

test('a repository in the folder that git has never heard of counts with its files', (t) => {
  const { cwd, take, told } = family(t)
  gitIn(cwd)('init', '-q', 'inner')
  writeFiles(cwd, { 'inner/a': 'one\n' })
  const names = ['lib/deep', 'lib', 'inner']
  assert.deepEqual(told('without a commit', names), { uncommitted: ['inner/a'], isClean: false, dirty: false })
  const before = take()?.tree
  gitIn(join(cwd, 'inner'))('add', '-A')
  gitIn(join(cwd, 'inner'))('commit', '-qm', 'first')
  assert.equal(take()?.tree, before, 'with a commit')
})
