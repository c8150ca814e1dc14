import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createClient } from '../../src/client/client.ts'
import { conductHere } from '../cli/program.ts'
import { claudeIn, syncAll, workplace } from '../cli/session.ts'
import fc from '../support/random.ts'
import { adminKey, type ServerProcess } from '../support/server.ts'

const letter = fc.constantFrom(...'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789')
const letters = (length: number) => fc.string({ unit: letter, minLength: length, maxLength: length })

/** Random secrets of forms that names of branches and files may have, too. */
const secretArb = fc.oneof(
  ...[
    ['ghp_', 36],
    ['ghs_', 36],
    ['npm_', 36],
    ['glpat-', 20],
    ['hf_', 34],
    ['sk-ant-api03-', 95],
  ].map(([prefix, length]) => letters(Number(length)).map((text) => `${prefix}${text}`)),
)

/** By the place in which an agent writes each. */
const places = [
  ...['branch', 'file', 'folder', 'commit', 'prompt', 'command', 'output', 'answer'],
  ...['log', 'title', 'check', 'checkOutput', 'failure', 'plain', 'exec', 'summary'],
] as const
type Place = (typeof places)[number]
type Secrets = Record<Place, string>

export const secretsArb: fc.Arbitrary<Secrets> = fc.record(
  Object.fromEntries(places.map((place) => [place, secretArb])) as Record<Place, fc.Arbitrary<string>>,
)

/**
 * Lets an agent work in a repository with secrets in its names and in all that it says, by hooks and over MCP. Returns what
 * is left on its machine, outside the repository.
 */
export async function workWith(t: TestContext, { url }: ServerProcess, all: Secrets[]): Promise<string> {
  const admin = createClient({ url, key: adminKey })
  await admin.createProject({ slug: 'shop' })
  const { env, cwd, git, folder } = workplace(t, { CONDUCT_URL: url, CONDUCT_API_KEY: adminKey })
  for (const its of all) {
    git('checkout', '-q', '-b', `fix-${its.branch}`)
    const claude = claudeIn(cwd, env)
    await claude.prompt(`Push with ${its.prompt}`)
    await claude.write(`notes-${its.file}.txt`, 'hello\n')
    await claude.write(`in-${its.folder}/notes.txt`, 'hello\n')
    await claude.run(`git add -A && git -c user.name=a -c user.email=a@b commit -qm 'with ${its.commit}'`)
    await claude.use('Bash', { command: `deploy ${its.command}` }, () => {}, {
      tool_response: { stdout: `as ${its.output}` },
    })
    await claude.use('Bash', { command: 'false' }, () => {}, { error: `Exit code 1\n${its.failure}` })
    // An agent that gives its tools no ids.
    const use = { tool_name: 'Bash', tool_input: { command: `true ${its.plain}` } }
    await claude.tell('PreToolUse', use)
    await claude.tell('PostToolUse', { ...use, tool_response: {} })
    await claude.stop(`Pushed with ${its.answer}`)
    await claude.end()
    await syncAll(env)
    const ran = await conductHere(['exec', '--', 'echo', `token ${its.exec}`], env, cwd)
    if (ran.code !== 0) throw new Error(ran.stderr)
    await overMcp(url, its)
  }
  // Git itself stores the names and texts of the repository.
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => !path.startsWith('shop/') && lstatSync(join(folder, path)).isFile())
    .map((path) => join(folder, path))
  return [...files, ...files.map((path) => readFileSync(path, 'latin1'))].join('\n')
}

async function overMcp(url: string, its: Secrets): Promise<void> {
  const call = async (name: string, input: object) => {
    const params = { name, arguments: input }
    const response = await fetch(`${url}/mcp`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${adminKey}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'x-project-id': 'shop',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
    })
    const text = await response.text()
    if (!response.ok || text.includes('"isError":true')) throw new Error(`${name}: ${text}`)
    return /RUN-\d+/.exec(text)?.[0]
  }
  const runId = await call('start_run', { title: `Rotate ${its.title}` })
  await call('log_run', { runId, text: `The token is ${its.log}.` })
  const check = {
    name: 'tests',
    result: 'fail',
    command: `npm test ${its.check}`,
    exitCode: 1,
    content: its.checkOutput,
  }
  await call('record_check', { runId, ...check })
  await call('finish_run', { runId, status: 'failed', summary: `It failed with ${its.summary}` })
}
