import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { atMost, median, type Row } from './report.ts'
import { bin, type Workplace } from './servers.ts'

const times = 15
const files = 5_000
const goals = { without: { bar: 1.3, hope: 0.3 }, withTree: { bar: 2, hope: 1 }, alone: { bar: 2.5, hope: 2 } }

/** How long an agent waits for its hook, against a start of Node.js, with and without a snapshot of the files. */
export async function measureHook(place: Workplace, { count = files } = {}): Promise<Row[]> {
  const home = place.folder()
  const cwd = join(home, 'shop')
  makeRepository(cwd, count)
  const env = { PATH: process.env.PATH, HOME: home, CONDUCT_DATABASE_URL: `sqlite:${join(home, 'conduct.db')}` }
  const launcher = join(home, '.local/share/conduct/bin/conduct-ledger')
  // The recorder ends without its socket, and its processes must end before their folder is removed.
  place.after(async () => {
    rmSync(join(home, '.local/state/conduct/recorder.sock'), { force: true })
    await sleep(5000)
  })
  const took: Record<'node' | 'alone' | 'without' | 'withTree', number[]> = {
    node: [],
    alone: [],
    without: [],
    withTree: [],
  }
  for (let n = 0; n <= times; n++) {
    const of = { session_id: `3f2504e0-4f89-41d3-9a0c-0305e82c33${10 + n}`, cwd, prompt_id: `prompt-${n}` }
    const read = (id: string) => ({
      ...{ ...of, hook_event_name: 'PostToolUse', tool_name: 'Read', tool_use_id: `${id}-${n}` },
      tool_input: { file_path: join(cwd, 'a.ts') },
    })
    await msOf(env, [process.execPath, bin, 'hook', 'claude'], {
      ...of,
      hook_event_name: 'UserPromptSubmit',
      prompt: 'Fix',
    })
    const alone = await msOf(env, [process.execPath, bin, 'hook', 'claude'], read('alone'))
    // Starts the recorder, if none is there.
    await msOf(env, [launcher, 'hook', 'claude'], read('first'))
    await sleep(n === 0 ? 3_000 : 300)
    const without = await msOf(env, [launcher, 'hook', 'claude'], read('second'))
    writeFileSync(join(cwd, 'changed.ts'), `export const n = ${n}\n`)
    const bash = { tool_name: 'Bash', tool_input: { command: 'ls' }, tool_use_id: `bash-${n}` }
    const withTree = await msOf(env, [launcher, 'hook', 'claude'], { ...of, ...bash, hook_event_name: 'PreToolUse' })
    const node = await msOf(env, [process.execPath, '-e', '0'], {})
    // The first round compiles, and reads the files for the first time.
    if (n === 0) continue
    took.node.push(node)
    took.alone.push(alone)
    took.without.push(without)
    took.withTree.push(withTree)
  }
  const ratio = (ms: number[]) => median(ms) / median(took.node)
  return [
    atMost('hook, with nothing to note of the files', ratio(took.without), '× node -e 0', goals.without),
    atMost(
      `hook, noting a changed file of ${count.toLocaleString('en')}`,
      ratio(took.withTree),
      '× node -e 0',
      goals.withTree,
    ),
    atMost('hook without a recorder', ratio(took.alone), '× node -e 0', goals.alone),
  ]
}

async function msOf(env: NodeJS.ProcessEnv, [program = '', ...words]: string[], document: object): Promise<number> {
  const started = performance.now()
  const child = spawn(program, words, { env, stdio: ['pipe', 'ignore', 'inherit'] })
  child.stdin.on('error', () => {}).end(JSON.stringify(document))
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
  writeFileSync(join(cwd, 'conduct.json'), '{ "project": "shop" }\n')
  git('init', '-q', '-b', 'main')
  git('add', '-A')
  git('commit', '-q', '-m', 'first')
}
