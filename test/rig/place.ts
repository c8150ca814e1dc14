import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import type { Server } from './pipeline.ts'

/** A home with a git repository that only `conduct init --yes` has set up for Conduct. */
export interface Place {
  folder: string
  home: string
  repository: string
  /** The environment of each program. */
  env: Record<string, string>
  /** The server on which its sessions record. */
  server?: Server
  git(...words: string[]): string
  conduct(...words: string[]): string
  /** The same place with another working tree of the repository. */
  beside(tree: string): Place
  /** The tree of all files in the repository now, without the given new ones. */
  tree(without?: string[]): string
  /** The tree that a patch makes of that commit. */
  patched(commit: string, patch: string): string
  /** The error if a program fails. */
  fault(program: string, ...words: string[]): Error | undefined
  write(root: string, files: Record<string, string>): void
  remove(): void
}

/** The project on which the agents work: a greeting and its test. */
const project = {
  'README.md': '# Greetings\n',
  'package.json': '{ "name": "greetings", "private": true, "type": "module", "scripts": { "test": "node --test" } }\n',
  'src/greet.js': "export const greet = (name) => 'Hi ' + name\n",
  'test/greet.test.js': `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { greet } from '../src/greet.js'

test('greets politely', () => assert.match(greet('Ada'), /^(Hi|Good day,) Ada$/))
`,
}

/**
 * Creates a place. Its PATH has the folders `bins`, Node.js and the system's programs. Conduct is set up for `agents`,
 * or for those that it finds.
 */
export function freshPlace(bins: string[], agents: string[] = []): Place {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'conduct-agents-')))
  const [home, repository, scratch] = ['home', 'greetings', 'tmp'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  for (const one of [home, repository, scratch]) mkdirSync(one)
  const env = {
    PATH: [...bins, dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(delimiter),
    HOME: home,
    TMPDIR: scratch,
    TERM: 'xterm-256color',
    LANG: 'C.UTF-8',
    NPM_CONFIG_UPDATE_NOTIFIER: 'false',
  }
  const place = placeIn({ folder, home, repository, env })
  write(repository, project)
  place.git('init', '-q', '-b', 'main')
  // Set in the repository, because Gemini CLI hides the user's own settings from git.
  place.git('config', 'user.name', 'Ada')
  place.git('config', 'user.email', 'ada@example.com')
  place.git('add', '-A')
  place.git('commit', '-qm', 'Greet')
  place.conduct('init', '--yes', ...(agents.length > 0 ? ['--agents', agents.join(',')] : []))
  place.git('add', '-A')
  place.git('commit', '-qm', 'Record sessions with Conduct')
  return place
}

function write(root: string, files: Record<string, string>) {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
}

function placeIn(head: Pick<Place, 'folder' | 'home' | 'repository' | 'env'>): Place {
  const call = (program: string, words: string[], more: Record<string, string> = {}) =>
    execFileSync(program, words, {
      cwd: head.repository,
      env: { ...head.env, ...more },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim()
  return {
    ...head,
    git: (...words) => call('git', words),
    conduct: (...words) => call('conduct', words),
    tree(without = []) {
      const index = { GIT_INDEX_FILE: join(head.folder, 'index') }
      call('git', ['add', '-A'], index)
      if (without.length > 0) call('git', ['rm', '-qf', '--cached', '--ignore-unmatch', '--', ...without], index)
      return call('git', ['write-tree'], index)
    },
    patched(commit, patch) {
      const [index, file] = [{ GIT_INDEX_FILE: join(head.folder, 'patched') }, join(head.folder, 'run.patch')]
      writeFileSync(file, `${patch}\n`)
      call('git', ['read-tree', commit], index)
      if (patch) call('git', ['apply', '--cached', '--whitespace=nowarn', file], index)
      return call('git', ['write-tree'], index)
    },
    beside: (repository) => placeIn({ ...head, repository }),
    fault(program, ...words) {
      try {
        call(program, words)
        return undefined
      } catch (error) {
        return error as Error
      }
    },
    write,
    remove: () => rmSync(head.folder, { recursive: true, force: true, maxRetries: 5 }),
  }
}
