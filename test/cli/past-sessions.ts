import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { transcriptOf } from '../agents/documents.ts'
import type { Ledger } from '../support/engines.ts'
import { freshFolder, homeOf } from './folder.ts'
import { conductHere } from './program.ts'

export const claudeSession = '64c3d6b0-4315-40f7-8650-8b717eddbce1'
const codexSession = '01a20ff9-e566-7353-b76d-3eeab027bb1f'
export const project = 'old-work'

/** A home in which both agents worked in a folder of a project, and a function that imports from it. */
export function entered(t: TestContext, { url }: Ledger) {
  const home = freshFolder(t)
  const work = join(home, 'work')
  const claude = join(home, '.claude/projects/-work', `${claudeSession}.jsonl`)
  const codex = join(home, '.codex/sessions/2026/11/24', `rollout-2026-11-24T23-52-45-${codexSession}.jsonl`)
  mkdirSync(work)
  writeFileSync(join(work, 'conduct.json'), JSON.stringify({ project }))
  write(claude, read('claude', work))
  write(codex, read('codex', work))
  const env = { ...homeOf(home), CONDUCT_DATABASE_URL: url }
  const run = async (...words: string[]) => {
    const { code, stdout, stderr } = await conductHere(['import', ...words, '--json'], env, home)
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout)
  }
  return { home, work, claude, codex, env, run }
}

const read = (agent: string, work: string) =>
  readFileSync(transcriptOf(agent), 'utf8').replaceAll('/home/demo/demo', work)

/** Writes a transcript that has not changed for a while. */
export function write(file: string, text: string | Buffer) {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  age(file)
}

export const age = (file: string) => utimesSync(file, new Date(0), new Date(0))

/** The lines of the n-th prompt and its answer. */
export const exchange = (n: number, work: string, prompt: string) =>
  [
    { type: 'user', message: { content: prompt }, timestamp: `2026-11-25T00:00:0${n}.000Z`, cwd: work },
    {
      type: 'assistant',
      message: {
        id: `m${n}`,
        model: 'claude-haiku-4-5',
        content: [{ type: 'text', text: `Answer ${n}.` }],
        stop_reason: 'end_turn',
        usage: { input_tokens: 10, output_tokens: 1 },
      },
      timestamp: `2026-11-25T00:00:0${n}.500Z`,
      cwd: work,
    },
  ].map((line) => `${JSON.stringify(line)}\n`)
