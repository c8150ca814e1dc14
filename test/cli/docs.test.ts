import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import type { Command } from 'commander'
import { inOrder } from '../../scripts/generate.ts'
import { commands } from '../../src/cli/commands/commands.ts'
import { planOf } from '../../src/cli/operation/plan.ts'
import { exitCodes } from '../../src/terminal/exit.ts'
import { examplesOf } from '../../src/terminal/option.ts'
import { main } from '../support/program.ts'
import { adminKey, openServer } from '../support/server.ts'
import { freshFolder, homeOf } from './folder.ts'
import { programOf, type Ran } from './program.ts'

const run = promisify(execFile)
const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8')

/** The commands of the page, each with the heading above it. */
const blocks = page.split(/^##+ /m).flatMap((section) => {
  const heading = section.slice(0, section.indexOf('\n')).replace(/^conduct /, '')
  return [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, script = '']) => ({ heading, script }))
})

test('every exit code is documented', () => {
  for (const [code, meaning] of Object.values(exitCodes)) assert.ok(page.includes(`| ${code} | ${meaning} |`))
})

test('every command has an example, and docs/cli.md contains it', async () => {
  const leaves = (command: Command): Command[] =>
    command.commands.length > 0 ? command.commands.flatMap(leaves) : [command]
  for (const [name, { load }] of Object.entries(commands)) {
    for (const leaf of leaves(await load())) {
      const lines = examplesOf(leaf)?.lines ?? []
      assert.ok(lines.length > 0, `${name} ${leaf.name()}`)
      for (const line of lines) assert.ok(page.includes(`\n${line}\n`), line)
    }
  }
})

test('every command of docs/cli.md works', async (t) => {
  const folder = freshFolder(t)
  const { url } = await openServer(t)
  for (const file of ['run.md', 'spec.md', 'check.md', 'run.log']) writeFileSync(join(folder, file), `# ${file}\n`)
  // Stands in for the tests of a project.
  mkdirSync(join(folder, 'bin'))
  writeFileSync(join(folder, 'bin/npm'), '#!/bin/sh\n', { mode: 0o755 })
  writeFileSync(join(folder, '.conduct-key'), adminKey)
  chmodSync(join(folder, '.conduct-key'), 0o600)
  const words = inOrder.map((name) => planOf(name).words.join(' ')).filter(Boolean)
  // Commands without an operation run after everything is created, and before anything is deleted.
  const deletes = words.findIndex((one) => / (delete|revoke|unlink)$/.test(one))
  const rank = ({ heading }: { heading: string }) => (words.includes(heading) ? words.indexOf(heading) : deletes - 0.5)
  const PATH = [join(folder, 'bin'), process.env.PATH].join(delimiter)
  const env = { ...homeOf(folder), PATH, CONDUCT_URL: url, CONDUCT_API_KEY: adminKey }
  const program = programOf(env)
  for (const { heading, script } of blocks.toSorted((a, b) => rank(a) - rank(b))) {
    for (const line of script.replaceAll('https://ledger.example.com/conduct', url).trim().split('\n')) {
      const { code, stderr } = await (isPlain(line) ? program.all(line.replace(/^conduct /, '')) : inShell(line, env))
      // Nothing receives the messages of the webhook in the examples.
      assert.equal(code, heading === 'webhook test' ? 1 : 0, `${heading}: ${line}\n${stderr}`)
    }
  }
})

/** Whether the command needs neither a shell nor a process of its own. */
const isPlain = (line: string) => /^conduct [^|<>$"~#]*$/.test(line) && !line.includes(' exec ')

async function inShell(line: string, env: NodeJS.ProcessEnv): Promise<Pick<Ran, 'code' | 'stderr'>> {
  const script = `conduct() { '${process.execPath}' '${main}' "$@"; }\n${line}`
  const options = { env, cwd: env.HOME }
  return run('sh', ['-e', '-c', script], options).then(
    ({ stderr }) => ({ code: 0, stderr }),
    (error) => error,
  )
}
