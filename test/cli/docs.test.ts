import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { inOrder } from '../../scripts/generate.ts'
import { exitCodes } from '../../src/cli/exit.ts'
import { planOf } from '../../src/cli/operation/plan.ts'
import { adminKey, startServer } from '../server.ts'
import { freshFolder, homeOf } from './folder.ts'
import { main } from './program.ts'

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

test('every command of docs/cli.md works', async (t) => {
  const folder = freshFolder(t)
  const { url } = await startServer(t, `sqlite:${join(folder, 'server.db')}`)
  for (const file of ['run.md', 'spec.md', 'check.md', 'run.log']) writeFileSync(join(folder, file), `# ${file}\n`)
  writeFileSync(join(folder, '.conduct-key'), adminKey)
  chmodSync(join(folder, '.conduct-key'), 0o600)
  for (const path of ['.local/share/bash-completion/completions', '.zfunc'])
    mkdirSync(join(folder, path), { recursive: true })
  const words = inOrder.map((name) => planOf(name).words.join(' ')).filter(Boolean)
  const rank = ({ heading }: { heading: string }) => (words.includes(heading) ? words.indexOf(heading) : words.length)
  const shown = new Set(blocks.map(({ heading }) => heading))
  assert.deepEqual(
    words.filter((one) => !shown.has(one)),
    [],
    'commands without an example',
  )
  const env = { ...homeOf(folder), CONDUCT_URL: url, CONDUCT_API_KEY: adminKey }
  for (const { heading, script } of blocks.toSorted((a, b) => rank(a) - rank(b))) {
    const here = script.replaceAll('https://ledger.example.com/conduct', url)
    const shell = `conduct() { '${process.execPath}' '${main}' "$@"; }\n${here}`
    await run('sh', ['-e', '-c', shell], { env, cwd: folder }).catch((error) =>
      assert.fail(`${heading}: ${here}${error.stdout}${error.stderr}`),
    )
  }
})
