import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freshFolder, homeOf } from '../cli/folder.ts'
import { conduct, type ProgramEnv } from '../cli/program.ts'
import { untilNobodyRuns } from '../cli/session.ts'
import { trappedFolder, traps } from '../cli/traps.ts'
import { isBeside, size } from './size.ts'

/** The longest that a hook may take, in milliseconds, and how much more memory than in an empty folder, in MB. */
const most = { ms: isBeside ? 6_000 : 2_000, mb: 50 }

const use = { tool_name: 'Bash', tool_input: { command: 'npm test' }, tool_use_id: 'toolu_1' }
const documents = [
  { hook_event_name: 'UserPromptSubmit', prompt: 'Try it' },
  { hook_event_name: 'PreToolUse', ...use },
  { hook_event_name: 'PostToolUse', ...use, tool_response: {} },
  { hook_event_name: 'Stop', last_assistant_message: 'Done.' },
]

interface Taken {
  /** The slowest hook, in milliseconds. */
  ms: number
  /** The peak memory of the largest hook, in MB. */
  mb: number
  /** The same of what hooks start in the background; 0 if they start nothing. */
  later: number
}

/** Waits for what hooks started in the background, which has more patience with git. */
async function untilQuiet(home: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return untilNobodyRuns(home)
    } catch (error) {
      if (tries === 6) throw error
    }
  }
}

const chosen = Object.entries(traps).slice(0, size(3, Object.keys(traps).length))

test('in a folder of traps, no program of it runs, and hooks stay fast and small', async (t) => {
  const home = freshFolder(t)
  const preload = fileURLToPath(new URL('peaks.ts', import.meta.url))
  const hooksIn = async (cwd: string, name: string): Promise<Taken> => {
    const PEAKS_FILE = join(home, `${name}.peaks`)
    const own = { PATH: process.env.PATH, NODE_OPTIONS: `--import=${preload}`, PEAKS_FILE }
    const env: ProgramEnv = { ...homeOf(home), CONDUCT_DATABASE_URL: `sqlite:${join(home, 'conduct.db')}`, ...own }
    let ms = 0
    for (const document of documents) {
      const began = performance.now()
      const input = JSON.stringify({ session_id: name, cwd, transcript_path: join(home, 'none'), ...document })
      const { code, stderr } = await conduct(['hook', 'claude'], env, existsSync(cwd) ? cwd : home, input)
      ms = Math.max(ms, performance.now() - began)
      assert.deepEqual([code, stderr], [0, ''], name)
    }
    await untilQuiet(home)
    const peaks = readFileSync(PEAKS_FILE, 'utf8').trim().split('\n')
    const largest = (command: string) =>
      Math.max(0, ...peaks.filter((line) => line.includes(` ${command} `)).map(Number.parseFloat))
    return { ms, mb: largest('hook'), later: largest('sync') }
  }
  const empty = join(home, 'empty')
  mkdirSync(empty)
  await hooksIn(empty, 'warm')
  const usual = await hooksIn(empty, 'empty')
  const found: (Taken & { name: string })[] = []
  for (const [at, [name, set]] of chosen.entries()) {
    const folder = trappedFolder(home, `trap-${at}`)
    const cwd = set(folder)
    found.push({ name, ...(await hooksIn(typeof cwd === 'string' ? cwd : folder.cwd, `trap-${at}`)) })
    assert.deepEqual(folder.marks(), [], `${name}: something of it ran`)
  }
  const worst = (field: keyof Taken) => found.reduce((one, other) => (other[field] > one[field] ? other : one))
  const [slowest, largest] = [worst('ms'), worst('mb')]
  t.diagnostic(`${found.length} traps, nothing of them ran`)
  t.diagnostic(
    `slowest hook ${Math.round(slowest.ms)} ms (${slowest.name}), ${Math.round(usual.ms)} ms in an empty folder`,
  )
  t.diagnostic(
    `most memory ${Math.round(largest.mb)} MB (${largest.name}), ${Math.round(usual.mb)} MB in an empty folder`,
  )
  const later = worst('later')
  t.diagnostic(`in the background, most memory ${Math.round(later.later)} MB (${later.name})`)
  // On a busy machine, every hook takes longer.
  const slack = 3 * Math.max(0, usual.ms - 200)
  assert.ok(slowest.ms < most.ms + slack)
  assert.ok(largest.mb < usual.mb + most.mb)
})
