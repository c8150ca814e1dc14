import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { inOrder } from '../scripts/generate.ts'
import { type Route, routes } from '../src/routes.ts'
import { statuses } from '../src/run.ts'
import { type Engine, engines } from './engines.ts'
import { adminKey, startServer } from './server.ts'
import { assertShows } from './shown.ts'

const run = promisify(execFile)
const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')

interface Answer {
  status: number
  body: Record<string, unknown>
}

/** A server that was just started, as a function that runs commands of the documentation against it in the shell. */
async function freshShell(t: TestContext, engine: Engine): Promise<(command: string) => Promise<Answer>> {
  const { url } = await startServer(t, await engine.freshUrl(t))
  const { origin } = new URL(url)
  return async (command) => {
    const here = command.replaceAll('http://localhost:3000', origin).replaceAll('sk_admin_xxx', adminKey)
    // The command stays as it was pasted; only curl also tells the status.
    const script = `curl() { command curl -sS -w '\\n%{http_code}' "$@"; }\n${here}`
    const { stdout } = await run('sh', ['-c', script], { env: { ...process.env, CONDUCT_API_KEY: adminKey } })
    const end = stdout.lastIndexOf('\n')
    return { status: Number(stdout.slice(end)), body: JSON.parse(stdout.slice(0, end)) }
  }
}

interface Section {
  title: string
  command: string
  response: Record<string, unknown>
}

/** The operations of the document: the answer that it shows, and its command as it stands there. */
const sections: Section[] = read('runs-api.txt')
  .split(/^(?=(?:Create|List|Get|Update|Delete) Runs?$|Link Features$)/m)
  .slice(1)
  .map((text) => ({
    title: text.slice(0, text.indexOf('\n')),
    response: JSON.parse(/^Response\n([\s\S]*?)\nExample$/m.exec(text)?.[1] ?? ''),
    command: /^curl [\s\S]*?localhost:3000\S*$/m.exec(text)?.[0] ?? '',
  }))

const [create, list, get, update, remove, link] = sections as [Section, Section, Section, Section, Section, Section]

for (const engine of engines) {
  test(`the examples of the document work in its order (${engine.name})`, async (t) => {
    const shell = await freshShell(t, engine)
    const check = async ({ title, command, response }: Section) => {
      const { status, body } = await shell(command)
      assert.equal(status, title === 'Create Run' ? 201 : 200, `${title}: ${JSON.stringify(body)}`)
      assertShows(response, body, title)
    }
    for (const section of [create, list, get, update, remove]) await check(section)
    // The document deletes the run before it links features to it.
    await shell(create.command)
    await check(link)
  })

  for (const section of sections) {
    test(`${section.title} works on a server that was just started (${engine.name})`, async (t) => {
      const shell = await freshShell(t, engine)
      if (section === list) {
        assert.deepEqual((await shell(list.command)).body, { runs: [], meta: { hasMore: false } })
      }
      if (section !== create) assert.equal((await shell(create.command)).status, 201)
      const { status, body } = await shell(section.command)
      assert.equal(status, section === create ? 201 : 200, JSON.stringify(body))
      assertShows(section.response, body)
    })
  }

  test(`every curl of docs/api.md works (${engine.name})`, async (t) => {
    const shell = await freshShell(t, engine)
    const document = read('../docs/api.md')
    for (const name of inOrder) {
      const section = document.split(/^## /m).find((text) => text.startsWith(`${name}\n`)) ?? ''
      const command = /^```sh\n([\s\S]*?)\n```$/m.exec(section)?.[1]
      assert.ok(command, `docs/api.md shows no command for ${name}`)
      const { success }: Route = routes[name]
      const { status, body } = await shell(command)
      assert.ok(success.includes(status as 200), `${name}: ${status} ${JSON.stringify(body)}`)
    }
  })
}

test('the statuses and filters are those of the document', () => {
  assert.equal(sections.length, 6)
  const document = read('runs-api.txt')
  // Its lists have lost their line breaks: "pending- Not startedin_progress- Running…"
  assert.match(document, new RegExp(`values:\\s+${statuses.map((status) => `${status}- [A-Z][a-z ]+`).join('')}$`))
  const filters = /Query Parameters\n(.*)/.exec(document)?.[1] ?? ''
  for (const name of ['specId', 'status', 'limit', 'cursor'] as const) {
    assert.ok(filters.includes(`${name}- `) && name in routes.listRuns.input.shape, name)
  }
})
