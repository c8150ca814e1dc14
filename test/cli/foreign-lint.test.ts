import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('../../src/', import.meta.url))

/** Code that works in folders that may come from anybody. */
const code = globSync('{cli,terminal,place,verify,capture,recorder,system}/**/*.ts', {
  cwd: source,
  exclude: ['cli/demo/**'],
})

/** The lines of these files that match, as `file: line`. */
const linesWith = (pattern: RegExp) =>
  code.flatMap((file) =>
    readFileSync(join(source, file), 'utf8')
      .split('\n')
      .filter((line) => pattern.test(line) && !/^import |^ {2}\w+,$/.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  )

/** Who may read files by himself, and whose files these are. */
const readers: Record<string, string> = {
  'place/foreign.ts': 'the one function for files of a folder',
  'recorder/agents/lines.ts': 'transcripts, in bounded pieces and only of regular files',
  'cli/commands/export.ts': 'a file that the user names',
  'cli/commands/import.ts': 'a file that the user names',
  'terminal/file.ts': 'a file that the user names',
  'cli/import/documents.ts': 'the names in a folder that the user names',
  'cli/import/find.ts': 'the names in the folders of agents',
  'place/git/committed.ts': 'our own folder',
  'place/git/guarded.ts': 'our own folder',
  'place/git/scratch.ts': 'our own folder',
  'place/profile.ts': 'our own folder',
  'place/servers.ts': 'our own folder',
  'capture/hook/heard.ts': 'our own folder',
  'capture/hook/objects.ts': 'our own folder',
  'capture/hook/session.ts': 'our own folder',
  'verify/anchors.ts': 'a file that the user names',
  'verify/remember.ts': 'our own folder',
  'system/disk.ts': 'only flushes it',
  'system/foreground.ts': '/proc',
  'system/peer.ts': '/proc',
  'system/pipes.ts': 'pipes of our own',
  'system/private.ts': 'our own folder',
  'system/processes.ts': '/proc',
}

test('only one function reads the files of a folder', () => {
  const reads =
    /\b(?:readFile|readFileSync|openSync|createReadStream|readSync|readdirSync|readdir|opendir|opendirSync|openAsBlob)\(|(?<![.\w])open\([^)]*(?:path|file|draft)/
  const others = linesWith(reads).filter((line) => readers[line.split(':')[0] ?? ''] === undefined)
  assert.deepEqual(others, [], 'read with src/place/foreign.ts, or say in this test whose files these are')
})

/** Who may start programs, and which. */
const starters: Record<string, string> = {
  'place/git/git.ts': 'git, for guarded.ts',
  'cli/commands/doctor-agents.ts': 'node --version',
  'cli/commands/open.ts': 'the browser',
  'terminal/pager.ts': 'the pager of the user',
  'capture/exec/child.ts': 'the command of the user',
  'system/foreground.ts': 'ps',
  'system/pipes.ts': 'mkfifo',
  'capture/hook/senders.ts': 'this program',
  'recorder/agents/opencode/plugin.ts': 'this program, from the plugin',
  'system/processes.ts': 'ps',
}

test('only one function starts git', () => {
  const starts = /\b(?:spawn|spawnSync|exec|execSync|execFile|execFileSync|fork)\(/
  const others = linesWith(starts).filter(
    (line) => starters[line.split(':')[0] ?? ''] === undefined && !/\.exec\(|\bexec\(words|function exec\(/.test(line),
  )
  assert.deepEqual(others, [], 'call git with src/place/git/guarded.ts, or say in this test what starts here')
  const calls = linesWith(/\brunGit\(/).map((line) => line.split(':')[0])
  assert.deepEqual([...new Set(calls)].sort(), ['place/git/git.ts', 'place/git/guarded.ts'])
})
