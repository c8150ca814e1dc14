import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { topOf } from '../../src/place/git/repository.ts'
import { snapshot } from '../../src/place/git/tree.ts'
import { projectOf } from '../../src/place/project.ts'
import { freshFolder } from './folder.ts'
import { plainTree, uncommittedPaths } from './plain-tree.ts'
import { gitIn, writeFiles } from './user.ts'

type Git = ReturnType<typeof gitIn>

/** Ways in which a repository may be kept. Each returns the folder of its working tree. */
const ways: Record<string, (cwd: string, git: Git) => string | undefined> = {
  'with a split index': (_, git) => void git('update-index', '--split-index'),
  'with an untracked cache and index version 4': (_, git) => {
    git('update-index', '--untracked-cache')
    git('update-index', '--index-version', '4')
  },
  'with packed branches': (_, git) => void git('pack-refs', '--all'),
  'with branches in a reftable': (cwd, git) => {
    const [, major = 0, minor = 0] = /(\d+)\.(\d+)/.exec(execFileSync('git', ['version'], { encoding: 'utf8' })) ?? []
    // Git cannot move the log of a branch.
    rmSync(join(cwd, '.git/logs'), { recursive: true })
    if (Number(major) > 2 || Number(minor) >= 46) git('refs', 'migrate', '--ref-format=reftable')
  },
  'with settings of its working tree': (_, git) => {
    git('config', 'extensions.worktreeConfig', 'true')
    git('config', '--worktree', 'core.sparseCheckout', 'false')
  },
  'elsewhere, behind a file': (cwd) => {
    renameSync(join(cwd, '.git'), join(cwd, '../real.git'))
    writeFiles(cwd, { '.git': 'gitdir: ../real.git\n' })
  },
  'elsewhere, behind a link': (cwd) => {
    renameSync(join(cwd, '.git'), join(cwd, '../real.git'))
    symlinkSync('../real.git', join(cwd, '.git'))
  },
  'as a working tree of a bare repository': (cwd, git) => {
    const bare = join(cwd, '../bare.git')
    git('clone', '-q', '--bare', cwd, bare)
    gitIn(bare)('remote', 'set-url', 'origin', 'https://example.com/shop/web.git')
    gitIn(bare)('worktree', 'add', '-q', join(cwd, '../linked'), 'main')
    return join(cwd, '../linked')
  },
  'as a shallow clone': (cwd, git) => {
    git('commit', '-q', '--allow-empty', '-m', 'second')
    const clone = join(cwd, '../shallow')
    git('clone', '-q', '--depth', '1', `file://${cwd}`, clone)
    gitIn(clone)('remote', 'set-url', 'origin', 'https://example.com/shop/web.git')
    return clone
  },
  'as a partial clone': (cwd, git) => {
    git('config', 'uploadpack.allowFilter', 'true')
    const clone = join(cwd, '../partial')
    git('clone', '-q', '--filter=blob:none', '--sparse', `file://${cwd}`, clone)
    gitIn(clone)('remote', 'set-url', 'origin', 'https://example.com/shop/web.git')
    return clone
  },
}

for (const [way, keep] of Object.entries(ways)) {
  test(`a repository kept ${way} has its tree, commit, branch and project`, (t) => {
    const folder = join(freshFolder(t), 'main')
    execFileSync('git', ['init', '-q', '-b', 'main', folder])
    const made = gitIn(folder)
    writeFiles(folder, { 'a.txt': 'one\n', 'deep/b.txt': 'one\n' })
    made('add', '-A')
    made('commit', '-qm', 'first')
    made('remote', 'add', 'origin', 'https://example.com/shop/web.git')
    const cwd = keep(folder, made) ?? folder
    const git = gitIn(cwd)
    const objects = join(freshFolder(t), 'objects')
    const clean = snapshot(cwd, objects)
    assert.deepEqual(clean?.git, {
      repository: 'https://example.com/shop/web.git',
      branch: 'main',
      commit: git('rev-parse', 'HEAD'),
      tree: git('rev-parse', 'HEAD^{tree}'),
      dirty: false,
    })
    writeFiles(cwd, { 'a.txt': 'two\n', 'new.txt': 'x\n' })
    const now = snapshot(cwd, objects)
    assert.equal(now?.tree, plainTree(cwd))
    assert.deepEqual(now && uncommittedPaths(now), ['a.txt', 'new.txt'])
    assert.equal(topOf(cwd), git('rev-parse', '--show-toplevel'))
    assert.equal(projectOf(cwd), 'shop.web')
  })
}
