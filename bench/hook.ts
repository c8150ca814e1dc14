import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { atMost, median, type Row } from './report.ts'
import { bin, type Workplace } from './servers.ts'

const times = 7
const files = 50_000
const goals = { without: { bar: 100, hope: 50 }, withTree: { bar: 1000, hope: 500 } }

/** How long an agent waits for its hook, with and without a snapshot of the files. */
export async function measureHook(place: Workplace, { count = files } = {}): Promise<Row[]> {
  const home = place.folder()
  const cwd = join(home, 'shop')
  makeRepository(cwd, count)
  const env = { PATH: process.env.PATH, HOME: home, CONDUCT_DATABASE_URL: `sqlite:${join(home, 'conduct.db')}` }
  // Background processes of hooks must end before their folder is removed.
  place.after(() => sleep(3000))
  const without: number[] = []
  const withTree: number[] = []
  for (let n = 0; n <= times; n++) {
    const of = { session_id: `3f2504e0-4f89-41d3-9a0c-0305e82c33${10 + n}`, cwd, prompt_id: `prompt-${n}` }
    await hook(env, { ...of, hook_event_name: 'SessionStart', source: 'startup' })
    await hook(env, { ...of, hook_event_name: 'UserPromptSubmit', prompt: 'Fix the login' })
    const read = { tool_name: 'Read', tool_input: { file_path: join(cwd, 'a.ts') }, tool_use_id: `tool-${n}` }
    const took = await hook(env, { ...of, hook_event_name: 'PostToolUse', ...read })
    writeFileSync(join(cwd, 'changed.ts'), `export const n = ${n}\n`)
    const stopped = await hook(env, { ...of, hook_event_name: 'Stop', last_assistant_message: 'Done.' })
    // The first call compiles, and reads the files for the first time.
    if (n > 0) {
      without.push(took)
      withTree.push(stopped)
    }
  }
  return [
    atMost('hook, with nothing to note of the files', median(without), 'ms', goals.without),
    atMost(`hook, noting the state of ${count.toLocaleString('en')} files`, median(withTree), 'ms', goals.withTree),
  ]
}

async function hook(env: NodeJS.ProcessEnv, document: object): Promise<number> {
  const started = performance.now()
  const child = spawn(process.execPath, [bin, 'hook', 'claude'], { env, stdio: ['pipe', 'ignore', 'inherit'] })
  child.stdin.end(JSON.stringify(document))
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`The hook ended with ${code}.`)
  return performance.now() - started
}

function makeRepository(cwd: string, count: number): void {
  for (let n = 0; n < count; n++) {
    const folder = join(cwd, `part-${n % 500}`)
    if (n < 500) mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, `file-${n}.ts`), `export const value = ${n}\n`)
  }
  const git = (...words: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...words], { cwd, stdio: 'ignore' })
  git('init', '-q', '-b', 'main')
  git('add', '-A')
  git('commit', '-q', '-m', 'first')
}
