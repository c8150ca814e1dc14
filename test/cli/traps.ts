import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { hooks, settingsThatRun } from './programs-of-git.ts'
import { gitIn, writeFiles } from './user.ts'

/** A folder from elsewhere: a repository that is set up for Conduct. Traps change it. */
export interface Trapped {
  /** Where commands run. */
  cwd: string
  git: ReturnType<typeof gitIn>
  /** A program that leaves a mark with the name of what ran it. */
  canary(name: string): string
  /** The names of what has run. */
  marks(): string[]
}

/** Makes the folder below `home`. Its marks are elsewhere below it. */
export function trappedFolder(home: string, name: string): Trapped {
  const cwd = join(home, name)
  const marked = join(home, `${name}-marks`)
  for (const folder of [cwd, marked]) mkdirSync(folder, { recursive: true })
  writeFiles(cwd, { 'conduct.json': '{ "project": "shop", "checks": { "tests": "npm test" } }\n', 'a.txt': 'one\n' })
  const git = gitIn(cwd)
  git('init', '-q', '-b', 'main')
  git('add', '-A')
  git('commit', '-qm', 'first')
  writeFiles(cwd, { 'a.txt': 'two\n', 'new.txt': 'x\n' })
  return {
    cwd,
    git,
    canary(name) {
      const path = join(marked, `run-${name.replace(/[^\w-]+/g, '_')}`)
      writeFileSync(path, `#!/bin/sh\ntouch '${join(marked, `ran-${name.replace(/[^\w-]+/g, '_')}`)}'\ncat\n`)
      chmodSync(path, 0o755)
      return path
    },
    marks: () => readdirSync(marked).filter((one) => one.startsWith('ran-')),
  }
}

type Trap = (its: Trapped) => unknown

const config = (text: string) => (its: Trapped) => {
  writeFiles(its.cwd, { '.git/config': `[core]\n\trepositoryformatversion = 0\n${text}\n` })
}

const configWith = (text: (canary: Trapped['canary']) => string): Trap => {
  return (its) => config(text(its.canary))(its)
}

function pipe(cwd: string, path: string) {
  mkdirSync(dirname(join(cwd, path)), { recursive: true })
  rmSync(join(cwd, path), { force: true, recursive: true })
  execFileSync('mkfifo', [join(cwd, path)])
}

const pipeAt =
  (path: string): Trap =>
  ({ cwd }) =>
    pipe(cwd, path)

const linkAt =
  (path: string, target: string): Trap =>
  ({ cwd }) => {
    mkdirSync(dirname(join(cwd, path)), { recursive: true })
    rmSync(join(cwd, path), { force: true, recursive: true })
    symlinkSync(target, join(cwd, path))
  }

/** A file without content that takes no space on the disk. */
const sparseAt =
  (path: string, bytes: number): Trap =>
  ({ cwd }) => {
    const file = openSync(join(cwd, path), 'w')
    ftruncateSync(file, bytes)
    closeSync(file)
  }

/** A setting with a value, as a line of a file of settings. */
function lineOf(name: string, value: string): string {
  const parts = name.replaceAll('<x>', 'odd').split('.')
  const [section, key] = [parts[0], parts.at(-1)]
  const head = parts.length > 2 ? `[${section} "${parts.slice(1, -1).join('.')}"]` : `[${section}]`
  return `${head}\n\t${key} = "${value}"\n`
}

/** Every setting that runs a program, with a canary each, and every hook. */
export const everyProgram: Trap = (its) => {
  const paths = new Set(['core.worktree', 'core.hookspath', 'include.path', 'includeif.<x>.path'])
  const lines = settingsThatRun.filter((name) => !paths.has(name)).map((name) => lineOf(name, its.canary(name)))
  config(`${lines.join('')}[filter "odd"]\n\trequired = true\n[filter "a=b"]\n\tclean = ${its.canary('a=b')}\n`)(its)
  for (const hook of hooks) symlinkSync(its.canary(`hook-${hook}`), join(its.cwd, '.git/hooks', hook))
  writeFiles(its.cwd, { '.gitattributes': '*.txt filter=odd diff=odd merge=odd\nnew.txt filter=a=b\n' })
}

/** Traps by name. Each may return the folder in which commands run instead. */
export const traps: Record<string, Trap> = {
  'every setting and hook that runs a program': everyProgram,
  'a filter with = in its name': (its) => {
    configWith((canary) => `[filter "a=b"]\n\tclean = ${canary('clean')}\n\tprocess = ${canary('process')}`)(its)
    writeFiles(its.cwd, { '.gitattributes': '* filter=a=b\n' })
  },
  'a file system monitor': configWith((canary) => `[core]\n\tfsmonitor = ${canary('monitor')}`),
  'hooks in a folder of the work': (its) => {
    for (const hook of hooks) writeFiles(its.cwd, { [`hooks/${hook}`]: `#!/bin/sh\nexec ${its.canary(hook)}\n` })
    for (const hook of hooks) chmodSync(join(its.cwd, 'hooks', hook), 0o755)
    config('[core]\n\thooksPath = hooks')(its)
  },
  'settings in an included file': (its) => {
    config('[include]\n\tpath = ../more.conf\n[includeIf "gitdir:/"]\n\tpath = ../more.conf')(its)
    writeFiles(its.cwd, { 'more.conf': `[core]\n\tfsmonitor = ${its.canary('monitor')}\n` })
  },
  'settings of one working tree': (its) => {
    config('[extensions]\n\tworktreeConfig = true')(its)
    writeFiles(its.cwd, { '.git/config.worktree': `[core]\n\tfsmonitor = ${its.canary('monitor')}\n` })
  },
  'a bare repository in a clone': (its) => {
    const { cwd, git } = its
    everyProgram(its)
    git('config', 'core.bare', 'false')
    git('config', 'core.worktree', '.')
    renameSync(join(cwd, '.git'), join(cwd, 'inner'))
    gitIn(cwd)('init', '-q', '-b', 'main')
    writeFiles(cwd, { 'inner/.gitattributes': '* filter=odd\n', 'inner/conduct.json': '{ "project": "shop" }' })
    return join(cwd, 'inner')
  },
  'a submodule with programs of its own': (its) => {
    gitIn(its.cwd)('init', '-q', 'sub')
    gitIn(join(its.cwd, 'sub'))('commit', '-q', '--allow-empty', '-m', 'first')
    its.git('-c', 'advice.addEmbeddedRepo=false', 'add', 'sub')
    writeFiles(its.cwd, {
      'sub/.git/config': `[core]\n\tfsmonitor = ${its.canary('monitor')}\n[filter "odd"]\n\tclean = ${its.canary('clean')}\n`,
      'sub/.gitattributes': '* filter=odd\n',
      'sub/b.txt': 'x\n',
    })
  },
  'objects to fetch from elsewhere': (its) => {
    const { cwd, git, canary } = its
    writeFiles(cwd, { 'b.txt': 'b\n' })
    git('add', 'b.txt')
    const id = git('rev-parse', ':b.txt')
    rmSync(join(cwd, '.git/objects', id.slice(0, 2), id.slice(2)))
    config(
      `[core]\n\trepositoryformatversion = 1\n[extensions]\n\tpartialClone = origin\n[remote "origin"]\n\turl = ext::${canary('fetch')}\n\tpromisor = true\n[protocol]\n\tallow = always`,
    )(its)
  },
  'objects of another repository': (its) => {
    config(`[core]\n\talternateRefsCommand = ${its.canary('refs')}`)(its)
    writeFiles(its.cwd, { '.git/objects/info/alternates': '../../../elsewhere/objects\n' })
  },
  'a conduct.json that is /dev/zero': linkAt('conduct.json', '/dev/zero'),
  'a conduct.json of 300 MB': sparseAt('conduct.json', 300_000_000),
  'a conduct.json that is a pipe': pipeAt('conduct.json'),
  'a conduct.json that leads out': linkAt('conduct.json', '/etc/passwd'),
  'a conduct.json that leads to itself': linkAt('conduct.json', 'conduct.json'),
  'a .git that is a pipe': pipeAt('.git'),
  'a .git of 300 MB': (its) => {
    rmSync(join(its.cwd, '.git'), { recursive: true })
    sparseAt('.git', 300_000_000)(its)
  },
  'a .git that leads to a pipe': ({ cwd }) => {
    rmSync(join(cwd, '.git'), { recursive: true })
    writeFiles(cwd, { '.git': 'gitdir: elsewhere\n', 'elsewhere/objects/a': '', 'elsewhere/refs/a': '' })
    pipe(cwd, 'elsewhere/commondir')
  },
  'an index that is a pipe': pipeAt('.git/index'),
  'an index of 2 GB': sparseAt('.git/index', 2_000_000_000),
  'a HEAD that is a pipe': pipeAt('.git/HEAD'),
  'a HEAD that is /dev/zero': linkAt('.git/HEAD', '/dev/zero'),
  'a branch that is a pipe': pipeAt('.git/refs/heads/main'),
  'packed branches that are a pipe': pipeAt('.git/packed-refs'),
  'a reflog that is a pipe': pipeAt('.git/logs/HEAD'),
  'stashes that are a pipe': pipeAt('.git/logs/refs/stash'),
  'settings that are a pipe': pipeAt('.git/config'),
  'settings that are /dev/zero': linkAt('.git/config', '/dev/zero'),
  'included settings that are a pipe': (its) => {
    config('[include]\n\tpath = pipe')(its)
    pipe(its.cwd, '.git/pipe')
  },
  'patterns that are pipes': ({ cwd }) => {
    pipe(cwd, '.git/info/exclude')
    pipe(cwd, '.git/info/attributes')
  },
  'patterns in a pipe elsewhere': (its) => {
    pipe(its.cwd, 'pipe')
    config(`[core]\n\texcludesFile = ${join(its.cwd, 'pipe')}\n\tattributesFile = /dev/zero`)(its)
  },
  'a .gitignore that is a pipe': pipeAt('.gitignore'),
  'a .gitignore of 2 GB': sparseAt('.gitignore', 2_000_000_000),
  'a .gitattributes of 90 MB': ({ cwd }) =>
    writeFileSync(join(cwd, '.gitattributes'), '*.txt a b c\n'.repeat(7_500_000)),
  'alternates that are a pipe': pipeAt('.git/objects/info/alternates'),
  'an archive of objects that is a pipe': (its) => {
    its.git('repack', '-adq')
    const [name = ''] = readdirSync(join(its.cwd, '.git/objects/pack')).filter((one) => one.endsWith('.idx'))
    pipe(its.cwd, `.git/objects/pack/${name}`)
  },
  'a new file of 2 GB': sparseAt('large', 2_000_000_000),
  'folders 1,500 deep': ({ cwd }) => {
    mkdirSync(join(cwd, 'd/'.repeat(1_500)), { recursive: true })
    writeFileSync(join(cwd, 'd/'.repeat(1_500), 'x'), '')
  },
  '20,000 new files': ({ cwd }) => {
    for (let at = 0; at < 20_000; at++) {
      if (at % 1_000 === 0) mkdirSync(join(cwd, `many/${at / 1_000}`), { recursive: true })
      writeFileSync(join(cwd, `many/${Math.floor(at / 1_000)}/${at}`), '')
    }
  },
  'a thousand repositories': ({ cwd }) => {
    for (let at = 0; at < 1_000; at++) {
      writeFiles(cwd, {
        [`r/${at}/.git/HEAD`]: 'ref: refs/heads/main\n',
        [`r/${at}/.git/objects/a`]: '',
        [`r/${at}/.git/refs/a`]: '',
      })
    }
  },
  'a repository that contains itself': ({ cwd }) => writeFiles(cwd, { 'sub/.git': 'gitdir: ../.git\n' }),
}
