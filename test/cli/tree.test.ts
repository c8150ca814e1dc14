import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { commitsMade } from '../../src/place/git/history.ts'
import { gitStateOf, snapshot } from '../../src/place/git/tree.ts'
import { freshFolder } from './folder.ts'
import { gitIn, writeFiles } from './user.ts'

function repository(t: TestContext, ...words: string[]) {
  const cwd = freshFolder(t)
  const objects = join(freshFolder(t), 'objects')
  const git = gitIn(cwd)
  git('init', '-q', '-b', 'main', ...words)
  const take = () => snapshot(cwd, objects)
  /** The tree that git itself would commit now. Does not change the index. */
  const wanted = () => {
    const env = { ...process.env, GIT_INDEX_FILE: join(objects, 'wanted') }
    rmSync(env.GIT_INDEX_FILE, { force: true })
    const run = (...words: string[]) => execFileSync('git', words, { cwd, env, encoding: 'utf8', stdio: 'pipe' }).trim()
    if (existsSync(join(cwd, '.git/index'))) execFileSync('cp', ['-p', join(cwd, '.git/index'), env.GIT_INDEX_FILE])
    run('add', '-A')
    return run('write-tree')
  }
  return { cwd, git, take, wanted, objects }
}

test('a snapshot starts one process of git where nothing changed, and at most five where something did', (t) => {
  const { cwd, git, take, wanted, objects } = repository(t)
  writeFiles(cwd, { a: '1\n', b: '1\n', '.gitignore': 'ignored\n' })
  git('add', '-A')
  git('commit', '-q', '-m', 'first')
  const real = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim()
  const calls = join(objects, 'calls')
  writeFiles(objects, { 'bin/git': `#!/bin/sh\necho "$*" >>'${calls}'\nexec '${real}' "$@"\n`, calls: '' })
  chmodSync(join(objects, 'bin/git'), 0o755)
  const counted = () => {
    const { PATH } = process.env
    process.env.PATH = `${join(objects, 'bin')}:${PATH}`
    writeFileSync(calls, '')
    try {
      const tree = take()?.tree
      return { tree, calls: readFileSync(calls, 'utf8').split('\n').length - 1 }
    } finally {
      process.env.PATH = PATH
    }
  }
  take()
  assert.deepEqual(counted(), { tree: wanted(), calls: 1 })
  writeFiles(cwd, { a: '2\n' })
  const changed = counted()
  assert.equal(changed.tree, wanted())
  assert.ok(changed.calls <= 5, `${changed.calls}`)
  assert.deepEqual(counted(), { tree: wanted(), calls: 1 })
  writeFiles(cwd, { c: '1\n' })
  const added = counted()
  assert.equal(added.tree, wanted())
  assert.ok(added.calls <= 5, `${added.calls}`)
  git('add', '-A')
  git('commit', '-q', '-m', 'second')
  assert.equal(counted().tree, git('rev-parse', 'HEAD^{tree}'))
  assert.equal(counted().calls, 1)
})

test('a kept tree counts only with its own index, whichever of two hooks kept its state last', (t) => {
  const { cwd, git, take, wanted, objects } = repository(t)
  writeFiles(cwd, { a: '1\n' })
  git('add', '-A')
  git('commit', '-q', '-m', 'first')
  take()
  const [state = ''] = globSync(join(objects, 'repositories/*/index.json'))
  const before = readFileSync(state)
  writeFiles(cwd, { a: '2\n' })
  assert.equal(take()?.tree, wanted())
  writeFileSync(state, before)
  assert.equal(take()?.tree, wanted())
})

test('a snapshot sees what is ignored anew, hidden no more, or a repository by now', (t) => {
  const { cwd, git, take, wanted } = repository(t)
  writeFiles(cwd, { a: '1\n', hidden: '1\n', new: '1\n' })
  git('add', 'a', 'hidden')
  git('commit', '-q', '-m', 'first')
  git('update-index', '--assume-unchanged', 'hidden')
  rmSync(join(cwd, 'hidden'))
  const gone = take()?.tree
  writeFiles(cwd, { hidden: '2\n' })
  const back = take()?.tree
  assert.notEqual(back, gone)
  git('update-index', '--no-assume-unchanged', 'hidden')
  assert.equal(back, wanted())
  writeFiles(cwd, { '.gitignore': 'new\n' })
  assert.equal(take()?.tree, wanted())
})

for (const format of ['sha1', 'sha256']) {
  test(`a repository has a tree before and after its first commit (${format})`, (t) => {
    const { cwd, git, take, wanted } = repository(t, `--object-format=${format}`)
    writeFiles(cwd, { a: 'one\n' })
    const before = take()
    assert.equal(before?.tree, wanted())
    assert.deepEqual(before?.git, { branch: 'main', tree: wanted() })
    git('add', '-A')
    git('commit', '-q', '-m', 'first')
    const commit = git('rev-parse', 'HEAD')
    assert.deepEqual(take()?.git, { branch: 'main', commit, tree: before?.tree, dirty: false })
    const trees = { commitTree: before?.tree, tree: before?.tree }
    assert.deepEqual(gitStateOf(cwd), { branch: 'main', commit, ...trees, dirty: false })
  })
}

test('outside git there is no state', (t) => {
  assert.deepEqual(gitStateOf(freshFolder(t)), {
    branch: undefined,
    commit: undefined,
    commitTree: undefined,
    tree: undefined,
    dirty: undefined,
  })
})

test('dirty means that tracked files differ, and a new file counts once it is staged', (t) => {
  const { cwd, git, take } = repository(t)
  writeFiles(cwd, { a: 'one\n' })
  git('add', '-A')
  git('commit', '-q', '-m', 'first')
  const dirty = () => take()?.git.dirty
  writeFiles(cwd, { scratch: 'x\n' })
  assert.equal(dirty(), false)
  git('add', 'scratch')
  assert.equal(dirty(), true)
  git('rm', '-q', '--cached', 'scratch')
  assert.equal(dirty(), false)
  writeFiles(cwd, { a: 'two\n' })
  assert.equal(dirty(), true)
  git('commit', '-q', '-a', '-m', 'second')
  assert.equal(dirty(), false)
  rmSync(join(cwd, 'a'))
  assert.equal(dirty(), true)
})

test('each snapshot has the tree that git would commit, whatever happened since the last one', (t) => {
  const { cwd, git, take, wanted } = repository(t)
  writeFiles(cwd, { a: 'one\n', b: 'one\n', 'dist/tracked': 'x\n', '.gitignore': 'ignored\n' })
  git('add', '-A')
  git('commit', '-q', '-m', 'first')
  const changes: Record<string, () => void> = {
    'a new file': () => writeFiles(cwd, { new: 'x\n', 'folder/new': 'x\n' }),
    'the same again': () => {},
    'it changes at the same size': () => writeFiles(cwd, { new: 'y\n' }),
    'it is ignored from now on': () => appendFileSync(join(cwd, '.gitignore'), 'new\nfolder\n'),
    'it is not any more': () => writeFiles(cwd, { '.gitignore': 'ignored\n' }),
    'a tracked file is ignored': () => appendFileSync(join(cwd, '.gitignore'), 'dist\n'),
    'an ignored file is tracked': () => {
      writeFiles(cwd, { ignored: 'x\n' })
      git('add', '-f', 'ignored')
    },
    'and is not any more': () => git('rm', '-q', '--cached', 'ignored'),
    'a commit': () => {
      git('add', '-A')
      git('commit', '-q', '-m', 'second')
    },
    'another branch': () => {
      git('checkout', '-q', '-b', 'side', 'HEAD~1')
      writeFiles(cwd, { b: 'side\n' })
    },
    'a stash': () => git('stash', '-u', '-q'),
    'its return': () => git('stash', 'pop', '-q'),
    'a file that is gone': () => rmSync(join(cwd, 'a')),
    'an index that is gone': () => rmSync(join(cwd, '.git/index')),
  }
  for (const [what, change] of Object.entries(changes)) {
    change()
    assert.equal(take()?.tree, wanted(), what)
    assert.equal(take()?.tree, wanted(), `${what}, once more`)
  }
})

test('a file that changes in the same second as the index is noticed, even if its size stays the same', (t) => {
  const { cwd, git, take, wanted } = repository(t)
  writeFiles(cwd, { a: 'one\n' })
  const time = new Date(Math.floor(Date.now() / 1000) * 1000)
  utimesSync(join(cwd, 'a'), time, time)
  git('add', '-A')
  utimesSync(join(cwd, '.git/index'), time, time)
  writeFiles(cwd, { a: 'two\n' })
  utimesSync(join(cwd, 'a'), time, time)
  assert.equal(take()?.tree, wanted())
})

test('a linked working tree has its own branch and files', (t) => {
  const { cwd, git } = repository(t)
  writeFiles(cwd, { a: 'one\n' })
  git('add', '-A')
  git('commit', '-q', '-m', 'first')
  const linked = join(freshFolder(t), 'linked')
  git('worktree', 'add', '-q', '-b', 'side', linked)
  writeFiles(linked, { a: 'two\n' })
  const [main, side] = [gitStateOf(cwd), gitStateOf(linked)]
  assert.deepEqual([main.branch, main.dirty, side.branch, side.dirty], ['main', false, 'side', true])
  assert.notEqual(main.tree, side.tree)
})

test('a program that git runs, such as a hook, sees the repository of each folder', (t) => {
  const { cwd, git, take } = repository(t)
  const other = repository(t)
  for (const one of [{ cwd, git }, other]) {
    writeFiles(one.cwd, { 'sub/a': `${one.cwd}\n` })
    one.git('add', '-A')
    one.git('commit', '-qm', 'first')
  }
  const taken = () => ({ ...take(), takenAt: undefined })
  const plain = [taken(), snapshot(join(cwd, 'sub'), join(freshFolder(t), 'objects'))?.root]
  Object.assign(process.env, { GIT_DIR: join(other.cwd, '.git'), GIT_INDEX_FILE: join(other.cwd, '.git/index') })
  t.after(() => {
    for (const name of ['GIT_DIR', 'GIT_INDEX_FILE', 'GIT_WORK_TREE']) delete process.env[name]
  })
  assert.deepEqual([taken(), snapshot(join(cwd, 'sub'), join(freshFolder(t), 'objects'))?.root], plain)
  process.env.GIT_WORK_TREE = other.cwd
  assert.deepEqual(take()?.root, other.cwd)
})

test('a snapshot adds no object to the repository, and does not change its index', (t) => {
  const { cwd, git, take } = repository(t)
  writeFiles(cwd, { a: 'one\n' })
  git('add', '-A')
  git('commit', '-q', '-m', 'first')
  writeFiles(cwd, { a: 'two\n', b: 'new\n' })
  const before = [git('count-objects', '-v'), git('ls-files', '-s', '-t'), git('status', '--porcelain')]
  const tree = take()?.tree ?? ''
  assert.deepEqual([git('count-objects', '-v'), git('ls-files', '-s', '-t'), git('status', '--porcelain')], before)
  assert.throws(() => git('cat-file', '-e', tree))
})

test('only commits that were created count, not those that were checked out or fetched', (t) => {
  const { cwd, objects, git, take } = repository(t)
  const commit = (message: string) => {
    git('commit', '-q', '--allow-empty', '-m', message)
    return git('rev-parse', 'HEAD')
  }
  const logged = () => take()?.log ?? 0
  const before = logged()
  const first = commit('first')
  git('branch', 'side')
  const from = logged()
  const second = commit('second\u2028line')
  git('checkout', '-q', 'side')
  const other = commit('on the side\tcommit: 1')
  git('commit', '-q', '--amend', '--allow-empty', '-m', 'amended')
  const amended = git('rev-parse', 'HEAD')
  git('checkout', '-q', 'main')
  git('merge', '-q', '--no-edit', 'side')
  const merged = git('rev-parse', 'HEAD')
  git('reset', '-q', '--hard', second)
  git('merge', '-q', '--ff-only', merged)
  const to = logged()
  const everybody = () => true
  assert.deepEqual(commitsMade({ root: cwd, objects }, from, to, everybody), [second, other, amended, merged])
  assert.deepEqual(commitsMade({ root: cwd, objects }, before, from, everybody), [first])
  assert.deepEqual(commitsMade({ root: cwd, objects }, to, to, everybody), [])
  assert.deepEqual(commitsMade({ root: freshFolder(t), objects }, 0, 1_000, everybody), [])
})

test('a working tree that takes git too long has no snapshot', (t) => {
  const { cwd, objects } = repository(t)
  writeFiles(cwd, { a: 'one\n' })
  assert.equal(snapshot(cwd, objects, 0), undefined)
  assert.ok(snapshot(cwd, objects))
})

test('a new file that the user may not read leaves the rest of the tree', (t) => {
  const { cwd, git, take } = repository(t)
  writeFiles(cwd, { a: '1\n' })
  git('add', '-A')
  git('commit', '-qm', 'first')
  // Root may read every file.
  const isReader = process.getuid?.() === 0
  writeFiles(cwd, { a: '2\n', b: '1\n', ...(!isReader && { secret: '1\n' }) })
  if (!isReader) chmodSync(join(cwd, 'secret'), 0)
  const snapshot = take()
  git('add', 'a', 'b')
  assert.deepEqual([snapshot?.tree, snapshot?.git.dirty], [git('write-tree'), true])
  assert.equal(take()?.tree, snapshot?.tree)
})

test('a new file leaves the tree once a file outside the working tree says that git ignores it', (t) => {
  const { cwd, git, take, wanted } = repository(t)
  const excludes = join(freshFolder(t), 'excludes')
  git('config', 'core.excludesFile', excludes)
  writeFiles(cwd, { a: '1\n' })
  git('add', '-A')
  git('commit', '-qm', 'first')
  writeFiles(cwd, { 'one.log': '1\n', 'two.log': '1\n' })
  assert.equal(take()?.tree, wanted())
  for (const [file, line] of [
    [join(cwd, '.git/info/exclude'), 'one.log\n'],
    [excludes, 'two.log\n'],
  ] as const) {
    const before = take()?.tree
    appendFileSync(file, line)
    const tree = take()?.tree
    assert.notEqual(tree, before, line)
    assert.equal(tree, wanted(), line)
  }
})

test('core.safecrlf, which makes git refuse mixed line breaks, prevents no snapshot', (t) => {
  const { cwd, git, take, wanted } = repository(t)
  git('config', 'core.autocrlf', 'input')
  git('config', 'core.safecrlf', 'true')
  writeFiles(cwd, { mixed: 'one\r\ntwo\n' })
  const tree = take()?.tree
  git('config', '--unset', 'core.safecrlf')
  assert.equal(tree, wanted())
})

test('the address of a repository has neither user nor password, even one with an @', (t) => {
  const { cwd, git, take } = repository(t)
  writeFiles(cwd, { a: '1\n' })
  git('remote', 'add', 'origin', 'https://alice:p@ssw0rd@example.com/shop/web@2.git')
  assert.equal(take()?.git.repository, 'https://example.com/shop/web@2.git')
})

const skip = process.platform === 'darwin' && 'the file system of macOS takes only names in UTF-8'
test('a file whose name is not UTF-8 is part of the tree', { skip }, (t) => {
  const { cwd, git, take, wanted } = repository(t)
  const named = (name: string) => Buffer.concat([Buffer.from(`${cwd}/`), Buffer.from(name, 'latin1')])
  writeFiles(cwd, { 'café.txt': '1\n' })
  for (const name of ['caf\xe9.txt', 'other\xe9.txt', 'gone\xe9']) writeFileSync(named(name), '1\n')
  git('add', '-A')
  git('commit', '-qm', 'first')
  assert.deepEqual([take()?.tree, take()?.git.dirty], [git('rev-parse', 'HEAD^{tree}'), false])
  writeFileSync(named('caf\xe9.txt'), '2\n')
  writeFileSync(named('new\xe9.txt'), '1\n')
  rmSync(named('other\xe9.txt'))
  rmSync(named('gone\xe9'))
  mkdirSync(named('gone\xe9'))
  writeFileSync(named('gone\xe9/inner'), '1\n')
  assert.deepEqual([take()?.tree, take()?.git.dirty], [wanted(), true])
})
