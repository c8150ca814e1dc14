import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { rootOf } from '../../src/cli/init/project-files.ts'
import { authorOf } from '../../src/place/git/guarded.ts'
import { repositoryAt } from '../../src/place/git/repository.ts'
import { projectOf } from '../../src/place/project.ts'
import { freshFolder } from './folder.ts'
import { gitIn } from './user.ts'

function repository(t: TestContext, name: string, origin?: string) {
  const path = join(freshFolder(t), name)
  mkdirSync(path)
  const git = gitIn(path)
  git('init', '-q')
  git('commit', '-q', '--allow-empty', '-m', 'first')
  if (origin) git('remote', 'add', 'origin', origin)
  return { path, git }
}

test('a folder without git is named by its own name, as a slug', (t) => {
  const path = join(freshFolder(t), '_my shop!')
  mkdirSync(path)
  assert.equal(projectOf(path), 'my-shop-')
})

test('folders whose names have other letters have projects of their own', (t) => {
  const folder = freshFolder(t)
  const projectIn = (name: string) => {
    mkdirSync(join(folder, name))
    return projectOf(join(folder, name))
  }
  assert.equal(projectIn('Prüf Ordner'), 'Pruf-Ordner')
  assert.match(projectIn('日本'), /^project-[0-9a-f]{6}$/)
  assert.match(projectIn('店 shop'), /^shop-[0-9a-f]{6}$/)
  assert.notEqual(projectIn('中国'), projectOf(join(folder, '日本')))
})

test('a repository and its worktrees are named by owner and name of the origin, else by the folder', (t) => {
  const origins = [
    'git@example.com:acme/shop.git',
    'https://example.com/group/acme/shop/',
    'ssh://git@example.com:22/acme/shop',
  ]
  const secret = 'https://alice:p@ssw0rd@example.com/shop.git'
  assert.equal(projectOf(repository(t, 'clone', secret).path), 'example.com.shop')
  for (const origin of origins) assert.equal(projectOf(repository(t, 'clone', origin).path), 'acme.shop', origin)

  const { path, git } = repository(t, 'shop')
  const worktree = join(freshFolder(t), 'elsewhere')
  git('worktree', 'add', '-q', worktree)
  mkdirSync(join(worktree, 'src'))
  assert.equal(projectOf(path), 'shop')
  assert.equal(projectOf(join(worktree, 'src')), 'shop')
})

test('the nearest conduct.json applies, also to worktrees that have none', (t) => {
  const { path, git } = repository(t, 'shop', 'git@example.com:acme/shop.git')
  writeFileSync(join(path, 'conduct.json'), '{ "project": "web-shop" }')
  const worktree = join(freshFolder(t), 'elsewhere')
  git('worktree', 'add', '-q', worktree)
  mkdirSync(join(path, 'deep/er'), { recursive: true })
  assert.equal(projectOf(join(path, 'deep/er')), 'web-shop')
  assert.equal(projectOf(worktree), 'web-shop')
})

test('a conduct.json above belongs to the user, or to the owner of the folder', (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root can give files away')
  const { path } = repository(t, 'shop')
  const above = join(path, '../conduct.json')
  writeFileSync(above, '{ "project": "of-others" }')
  assert.equal(projectOf(path), 'of-others')
  chownSync(above, 65_534, 65_534)
  assert.equal(projectOf(path), 'shop')
  chownSync(path, 65_534, 65_534)
  assert.equal(projectOf(path), 'of-others')
})

test('nobody else decides the project of a folder in a shared one, but the owner of a tree does', (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root can give files away')
  const shared = freshFolder(t)
  const work = join(shared, 'work')
  gitIn(shared)('init', '-q')
  mkdirSync(work)
  writeFileSync(join(shared, 'conduct.json'), '{ "project": "of-others" }')
  for (const path of ['conduct.json', '.git', '.']) chownSync(join(shared, path), 65_534, 65_534)
  assert.equal(projectOf(work), 'of-others')
  assert.equal(rootOf(work), shared)
  chmodSync(shared, 0o1777)
  assert.notEqual(projectOf(work), 'of-others')
  assert.equal(rootOf(work), work)
})

test('the repository of somebody else in a shared folder is not that of a folder in it', (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root can give files away')
  const shared = freshFolder(t)
  const work = join(shared, 'work')
  const git = gitIn(shared)
  git('init', '-q')
  git('config', 'user.email', 'of-others@example.com')
  mkdirSync(work)
  for (const path of ['.git', '.git/config', '.']) chownSync(join(shared, path), 65_534, 65_534)
  assert.equal(repositoryAt(work)?.root, shared)
  chmodSync(shared, 0o1777)
  assert.equal(repositoryAt(work), undefined)
  assert.doesNotMatch(authorOf(work) ?? '', /of-others/)
  // The owner of the work may have the repository, and who works at its top has chosen it.
  chownSync(work, 65_534, 65_534)
  assert.equal(repositoryAt(work)?.root, shared)
  assert.equal(repositoryAt(shared)?.root, shared)
})

test('the error names a conduct.json that cannot be read, and what would be right', (t) => {
  const path = freshFolder(t)
  for (const text of ['{', '{ "project": "a b" }', '{ "project": null }', '[]']) {
    writeFileSync(join(path, 'conduct.json'), text)
    assert.throws(() => projectOf(path), /conduct\.json must be \{ "project"/, text)
  }
})
