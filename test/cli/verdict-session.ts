import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { claudeIn, type Document, runsOf, syncAll, workplace } from './session.ts'
import { writeFiles } from './user.ts'

// What a session that hooks record does to real files, and the verdict that its run has then. The work passes if the file
// `work` says so; `pytest` and the other programs stand for those that projects use.

const programs: Record<string, string> = {
  npm: 'case "$*" in test*|"run test"|t) sh ./test.sh;; "run lint") sh ./lint.sh;; *) exit 0;; esac',
  pytest: 'sh ./test.sh',
  uv: 'shift; "$@"',
}

export const rules = { checks: { tests: 'npm test', lint: 'npm run lint' }, required: ['tests'] }

export async function session(
  t: TestContext,
  conductJson: object = rules,
  files: Record<string, string> = {},
  env: Record<string, string> = {},
) {
  const user = workplace(t, env)
  const { cwd, git, folder } = user
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  for (const [name, text] of Object.entries(programs)) {
    writeFiles(bin, { [name]: `#!/bin/sh\n${text}\n` })
    chmodSync(join(bin, name), 0o755)
  }
  writeFiles(cwd, {
    'conduct.json': JSON.stringify({ project: 'shop', ...conductJson }),
    'test.sh': 'grep -q pass work\n',
    'lint.sh': 'exit 0\n',
    work: 'pass\n',
    'README.md': 'Shop\n',
    ...files,
  })
  git('add', '-A')
  git('commit', '-qm', 'base')
  const claude = claudeIn(cwd, user.env)
  await claude.prompt('Work')
  const person = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@b' }
  const shell = (command: string, folder = cwd) =>
    execFileSync('sh', ['-c', command], {
      cwd: folder,
      stdio: 'pipe',
      env: { ...process.env, ...person, PATH: `${bin}:${process.env.PATH}` },
    })
  /** Runs a command line as the agent does; `during` is what happens while it runs. */
  const run = (command: string, during: () => unknown = () => {}) => {
    const more: Document = {}
    const work = async () => {
      try {
        shell(command)
      } catch (error) {
        more.error = `Exit code ${(error as { status: number }).status}`
      }
      await during()
    }
    return claude.use('Bash', { command }, work, more)
  }
  /** The verdict and its evidence once all is sent. */
  const verdict = async () => {
    await syncAll(user.env)
    const run = (await runsOf(user)).find(({ title }) => title === 'Work')
    return `${run?.verdict} ${run?.evidence}`
  }
  return {
    ...user,
    claude,
    run,
    write: claude.write,
    verdict,
    shell,
    beside: (files: Record<string, string>) => writeFiles(cwd, files),
    other: () => claudeIn(cwd, user.env),
  }
}

export type Session = Awaited<ReturnType<typeof session>>
