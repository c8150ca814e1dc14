import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gitEnv, runGit } from '../../src/place/git/git.ts'
import { snapshot } from '../../src/place/git/tree.ts'
import type { Snapshot } from '../../src/recorder/work.ts'
import { freshFolder } from './folder.ts'
import { plainTree, uncommittedPaths } from './plain-tree.ts'
import { gitIn, writeFiles } from './user.ts'

/** A repository with one commit and a changed file, and a program that leaves a mark when it runs. */
function repository(t: TestContext) {
  const cwd = freshFolder(t)
  const outside = freshFolder(t)
  const mark = join(outside, 'was-run')
  const program = join(outside, 'program')
  writeFiles(outside, { program: `#!/bin/sh\ntouch ${mark}\ncat\n` })
  chmodSync(program, 0o755)
  const git = gitIn(cwd)
  git('init', '-q', '-b', 'main')
  writeFiles(cwd, { 'a.txt': 'one\n', '.gitattributes': '*.txt filter=odd\n' })
  git('add', '-A')
  git('commit', '-q', '-m', 'first')
  writeFiles(cwd, { 'a.txt': 'two\n' })
  const objects = mkdtempSync(join(tmpdir(), 'conduct-objects-'))
  t.after(() => rmSync(objects, { recursive: true, force: true }))
  return { cwd, git, program, wasRun: () => existsSync(mark), take: () => snapshot(cwd, objects) }
}

type Repository = ReturnType<typeof repository>

/** Programs that a repository can configure for git to run, each by settings of its own. */
const traps: Record<string, (its: Repository) => void> = {
  'a file system monitor': ({ git, program }) => git('config', 'core.fsmonitor', program),
  'a hook': ({ cwd, program }) => {
    mkdirSync(join(cwd, '.git/hooks'), { recursive: true })
    writeFiles(cwd, { '.git/hooks/post-index-change': `#!/bin/sh\nexec ${program}\n` })
    chmodSync(join(cwd, '.git/hooks/post-index-change'), 0o755)
  },
  'hooks in another folder': ({ cwd, git, program }) => {
    writeFiles(cwd, { 'hooks/post-index-change': `#!/bin/sh\nexec ${program}\n` })
    chmodSync(join(cwd, 'hooks/post-index-change'), 0o755)
    git('config', 'core.hooksPath', 'hooks')
  },
  'a filter': ({ git, program }) => git('config', 'filter.odd.clean', program),
  'a filter with an odd name': ({ cwd, git, program }) => {
    git('config', 'filter.a.b c.clean', program)
    writeFiles(cwd, { '.gitattributes': '*.txt filter=a.b\n' })
    git('config', 'filter.a.b.clean', program)
  },
  'a required filter': ({ git, program }) => {
    git('config', 'filter.odd.clean', program)
    git('config', 'filter.odd.required', 'true')
  },
  'a filter for many files': ({ git, program }) => git('config', 'filter.odd.process', program),
  'a filter from an included file': ({ cwd, git, program }) => {
    writeFiles(cwd, { 'more.conf': `[filter "odd"]\n\tclean = ${program}\n` })
    git('config', 'include.path', '../more.conf')
  },
  'a filter of one working tree': ({ git, program }) => {
    git('config', 'extensions.worktreeConfig', 'true')
    git('config', '--worktree', 'filter.odd.clean', program)
  },
  'a file system monitor of a submodule': ({ cwd, git, program }) => {
    const inner = gitIn(cwd)
    inner('init', '-q', 'sub')
    const sub = gitIn(join(cwd, 'sub'))
    writeFiles(join(cwd, 'sub'), { 'b.txt': 'one\n' })
    sub('add', '-A')
    sub('commit', '-q', '-m', 'first')
    git('-c', 'advice.addEmbeddedRepo=false', 'add', '-A')
    git('commit', '-q', '-m', 'with sub')
    sub('config', 'core.fsmonitor', program)
    sub('config', 'filter.odd.clean', program)
    writeFiles(join(cwd, 'sub'), { 'b.txt': 'two\n', '.gitattributes': '*.txt filter=odd\n' })
  },
}

for (const [name, set] of Object.entries(traps)) {
  test(`${name} does not run when Conduct reads a working tree`, (t) => {
    const trapped = repository(t)
    set(trapped)
    trapped.git('add', '-A')
    assert.ok(trapped.wasRun(), 'git itself runs it')
    const fresh = repository(t)
    set(fresh)
    assert.ok(fresh.take()?.tree, 'it was looked at all the same')
    assert.ok(!fresh.wasRun(), 'Conduct does not')
  })
}

test('the tree is the one that git add and git write-tree create', (t) => {
  const { cwd, git, take } = repository(t)
  const files = [
    'kept',
    'changed',
    'gone',
    'program',
    'a/deep/file',
    'becomes-folder',
    'folder/becomes-file',
    'staged',
    'link',
  ]
  writeFiles(cwd, { ...Object.fromEntries(files.map((file) => [file, `${file}\n`])), '.gitignore': 'ignored\n' })
  git('init', '-q', 'sub')
  const sub = gitIn(join(cwd, 'sub'))
  sub('commit', '-q', '--allow-empty', '-m', 'first')
  const commit = () => {
    git('-c', 'advice.addEmbeddedRepo=false', 'add', '-A')
    git('commit', '-q', '-m', 'next')
  }
  commit()
  assert.equal(take()?.tree, plainTree(cwd, ['sub']), 'nothing is changed')
  for (const path of ['gone', 'becomes-folder', 'folder/becomes-file', 'link']) rmSync(join(cwd, path))
  rmSync(join(cwd, 'folder'), { recursive: true })
  chmodSync(join(cwd, 'program'), 0o755)
  symlinkSync('kept', join(cwd, 'link'))
  writeFiles(cwd, {
    changed: 'CHANGED\n',
    'becomes-folder/file': 'x\n',
    folder: 'now a file\n',
    'ü\nber "quoted" \\ file': 'odd name\n',
    ignored: 'x\n',
    'new/file': 'x\n',
    staged: 'two\n',
    'sub/inner': 'of the submodule\n',
  })
  git('add', 'staged')
  writeFiles(cwd, { staged: 'three\n' })
  sub('commit', '-q', '--allow-empty', '-m', 'second')
  git('init', '-q', 'embedded')
  gitIn(join(cwd, 'embedded'))('commit', '-q', '--allow-empty', '-m', 'first')
  const tree = take()?.tree
  assert.equal(tree, plainTree(cwd, ['sub', 'embedded']))
  commit()
  assert.equal(take()?.tree, tree, 'a commit does not change it')
})

test('the tree is right in the middle of a merge with conflicts', (t) => {
  const { cwd, git, take } = repository(t)
  writeFiles(cwd, { both: 'one\n', 'deleted-by-them': 'one\n', 'deleted-by-us': 'one\n' })
  git('add', '-A')
  git('commit', '-q', '-m', 'base')
  git('checkout', '-q', '-b', 'theirs')
  writeFiles(cwd, { both: 'theirs\n', 'deleted-by-us': 'theirs\n' })
  git('rm', '-q', 'deleted-by-them')
  git('commit', '-q', '-a', '-m', 'theirs')
  git('checkout', '-q', 'main')
  writeFiles(cwd, { both: 'ours\n', 'deleted-by-them': 'ours\n' })
  git('rm', '-q', 'deleted-by-us')
  git('commit', '-q', '-a', '-m', 'ours')
  assert.throws(() => git('merge', 'theirs'))
  rmSync(join(cwd, 'deleted-by-us'))
  const tree = take()?.tree
  git('add', '-A')
  assert.equal(tree, git('write-tree'))
})

test('a repository whose list of files is longer than 24 MiB has a tree', (t) => {
  const { cwd, git, take } = repository(t)
  const blob = git('rev-parse', 'HEAD:a.txt')
  const paths = Array.from({ length: 100_000 }, (_, n) => `${'long'.repeat(50)}-${n}`)
  const input = (lines: string[]) => ({ cwd, input: lines.map((line) => `${line}\0`).join('') })
  spawnSync('git', ['update-index', '-z', '--index-info'], input(paths.map((path) => `100644 ${blob}\t${path}`)))
  spawnSync('git', ['update-index', '-z', '--skip-worktree', '--stdin'], input(paths))
  assert.equal(take()?.tree, plainTree(cwd))
})

test("the user's own filters run, so the tree is the one that git commits", (t) => {
  const its = repository(t)
  const home = freshFolder(t)
  writeFiles(home, { '.gitconfig': '[filter "odd"]\n\tclean = tr a-z A-Z\n[user]\n\tname = a\n\temail = a@b\n' })
  const { HOME } = process.env
  t.after(() => Object.assign(process.env, { HOME }))
  process.env.HOME = home
  its.git('config', 'filter.odd.clean', its.program)
  const taken = its.take()
  its.git('config', '--unset', 'filter.odd.clean')
  its.git('add', '-A')
  assert.equal(taken?.tree, its.git('write-tree'))
  assert.ok(!its.wasRun())
})

test('of a git that ends before it has read its input, the error has what git says', (t) => {
  const cwd = freshFolder(t)
  writeFiles(cwd, { git: '#!/bin/sh\nexec 0<&-\necho "fatal: no room" >&2\nexit 128\n' })
  chmodSync(join(cwd, 'git'), 0o755)
  const env = { ...gitEnv(), PATH: `${cwd}:${process.env.PATH}` }
  const input = Buffer.alloc(1_000_000)
  assert.throws(
    () => runGit(['hash-object', '--stdin'], { cwd, env, input, timeoutMs: 10_000 }),
    /^Error: fatal: no room$/,
  )
})

test('at the deadline, git ends with what it has started', async (t) => {
  const its = repository(t)
  const home = freshFolder(t)
  const filter = `sh -c 'echo $$ > ${home}/pid; exec sleep 60'`
  writeFiles(home, { '.gitconfig': `[filter "odd"]\n\tclean = ${JSON.stringify(filter)}\n` })
  const { HOME } = process.env
  t.after(() => Object.assign(process.env, { HOME }))
  process.env.HOME = home
  const began = performance.now()
  assert.equal(snapshot(its.cwd, join(home, 'objects'), 10_000), undefined)
  assert.ok(performance.now() - began < 40_000)
  const pid = Number(readFileSync(join(home, 'pid'), 'utf8'))
  assert.ok(pid > 0)
  // A killed process takes a moment to end, and remains until its new parent collects it.
  for (let tries = 0; !/^Z?$/.test(stateOf(pid)); tries++) {
    assert.ok(tries < 200, 'it ends')
    await sleep(100)
  }
})

/** A letter for the state of a process, as ps shows it; empty if there is none. */
function stateOf(pid: number): string {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
  return stdout.trim().slice(0, 1)
}

test('a filter of the repository alone leaves a changed file as it is on disk, and others as git has them', (t) => {
  const { cwd, git, take } = repository(t)
  const pointer = 'version 1\n'
  writeFiles(cwd, {
    'large.txt': pointer,
    'other.txt': pointer,
    '.gitattributes': 'large.txt filter=lfs\nother.txt filter=lfs\n',
  })
  git('add', '-A')
  git('commit', '-qm', 'pointers')
  git('config', 'filter.lfs.clean', 'echo version 1')
  git('config', 'filter.lfs.smudge', 'echo content')
  for (const name of ['large.txt', 'other.txt']) rmSync(join(cwd, name))
  git('checkout', '.')
  // Git reads a file again that is as new as its index.
  for (const name of ['large.txt', 'other.txt']) utimesSync(join(cwd, name), 1, 1)
  git('update-index', '-q', '--refresh')
  const clean = take()
  assert.deepEqual([clean?.tree, clean?.git.dirty], [git('rev-parse', 'HEAD^{tree}'), false])
  writeFiles(cwd, { 'large.txt': 'more content\n' })
  assert.deepEqual(uncommittedPaths(take() as Snapshot), ['large.txt'])
})
