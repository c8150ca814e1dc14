import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { inOrder } from '../scripts/generate.ts'
import { type Route, routes } from '../src/operations/routes.ts'
import { type Engine, engines } from './support/engines.ts'
import { create, type Example, examples, get, link, list, remove, update } from './support/runs-api.ts'
import { adminKey, openServer } from './support/server.ts'
import { assertShows } from './support/shown.ts'

const run = promisify(execFile)
const reference = readFileSync(new URL('../docs/api.md', import.meta.url), 'utf8')

interface Answer {
  status: number
  body: Record<string, unknown>
}

/** Starts a server, and returns a function that runs commands of the documentation against it in a shell. */
async function freshShell(t: TestContext, engine: Engine): Promise<(command: string) => Promise<Answer>> {
  const { url } = await openServer(t, (await engine.ledger(t)).url)
  const { origin } = new URL(url)
  return async (command) => {
    const here = command.replaceAll('http://localhost:3000', origin).replaceAll('sk_admin_xxx', adminKey)
    // The command stays as a reader would paste it; the function makes curl print the status, too.
    const script = `curl() { command curl -sS -w '\\n%{http_code}' "$@"; }\n${here}`
    const { stdout } = await run('sh', ['-c', script], { env: { ...process.env, CONDUCT_API_KEY: adminKey } })
    const end = stdout.lastIndexOf('\n')
    const text = stdout.slice(0, end)
    return { status: Number(stdout.slice(end)), body: text.startsWith('{') ? JSON.parse(text) : text }
  }
}

for (const engine of engines) {
  test(`the examples of the document work in order (${engine.name})`, async (t) => {
    const shell = await freshShell(t, engine)
    const check = async ({ title, command, response }: Example) => {
      const { status, body } = await shell(command)
      assert.equal(status, title === 'Create Run' ? 201 : 200, `${title}: ${JSON.stringify(body)}`)
      assertShows(response, body, title)
    }
    for (const section of [create, list, get, update, remove]) await check(section)
    // The document deletes the run before it links features to it, so the test creates the run again.
    await shell(create.command)
    await check(link)
  })

  for (const section of examples) {
    test(`${section.title} works on a new server (${engine.name})`, async (t) => {
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
    for (const name of inOrder) {
      const section = reference.split(/^## /m).find((text) => text.startsWith(`${name}\n`)) ?? ''
      const command = /^```sh\n([\s\S]*?)\n```$/m.exec(section)?.[1]
      assert.ok(command, `docs/api.md shows no command for ${name}`)
      const { success = [200] }: Route = routes[name]
      const { status, body } = await shell(command)
      assert.ok(success.includes(status as 200), `${name}: ${status} ${JSON.stringify(body)}`)
    }
  })
}
