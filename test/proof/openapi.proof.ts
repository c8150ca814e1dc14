import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { inOrder } from '../../scripts/generate.ts'
import { createClient } from '../../src/client/client.ts'
import { addressOf, names } from '../../src/contract/paths.ts'
import { exampleKey, routes } from '../../src/operations/routes.ts'
import { document } from '../support/described.ts'
import fc from '../support/random.ts'
import { adminKey, openServer } from '../support/server.ts'
import { freePort } from '../support/setup.ts'
import { requestOf, rightShot } from '../support/shots.ts'
import { type Generator, generators, tour, versions } from './openapi/generators.ts'
import { seed, size } from './size.ts'

const run = promisify(execFile)
const perOperation = size(5, 60)
const folder = mkdtempSync(join(tmpdir(), 'conduct-openapi-'))

/** Each group of tools gets a folder of its own, because their dependencies conflict. */
const tools = {
  clients: versions,
  lint: { '@redocly/cli': '2.77.0', '@stoplight/spectral-cli': '6.16.3' },
  proxy: { '@stoplight/prism-cli': '5.16.0' },
}

before(async () => {
  for (const [name, dependencies] of Object.entries(tools)) {
    const home = join(folder, name)
    mkdirSync(home)
    writeJson(join(home, 'package.json'), { private: true, type: 'module', dependencies })
    writeJson(join(home, 'openapi.json'), document)
    await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'], { cwd: home })
  }
})

after(() => rmSync(folder, { recursive: true, force: true }))

function writeJson(path: string, value: unknown) {
  writeFileSync(path, JSON.stringify(value, null, 2))
}

/** Runs an installed tool. Throws its output if it fails. */
async function toolOf(home: keyof typeof tools, [name, ...args]: [string, ...string[]], cwd = join(folder, home)) {
  const path = join(folder, home, 'node_modules/.bin', name)
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
  const { stdout } = await run(path, args, { cwd, env, maxBuffer: 1e8 }).catch((error) =>
    assert.fail(`${name} ended with ${error.code}:\n${error.stdout}${error.stderr}`.slice(0, 10_000)),
  )
  return stdout
}

/** All flags that make TypeScript stricter. */
const compilerOptions = {
  ...{ target: 'es2022', module: 'nodenext', lib: ['es2023', 'dom', 'dom.iterable'], types: ['node'], outDir: 'built' },
  ...{ strict: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, noImplicitReturns: true },
  ...{ noImplicitOverride: true, noPropertyAccessFromIndexSignature: true, noFallthroughCasesInSwitch: true },
  ...{ noUnusedLocals: true, noUnusedParameters: true, verbatimModuleSyntax: true, isolatedModules: true },
}

/** Generates a client, and compiles it with its program. Returns the path of the program. */
async function compiled({ name, files = {}, command, own, program }: Generator): Promise<string> {
  const home = join(folder, 'clients', name.replace(/\W/g, '-'))
  mkdirSync(home)
  for (const [file, text] of Object.entries(files)) writeFileSync(join(home, file), text)
  await toolOf('clients', command, home)
  writeFileSync(join(home, 'main.ts'), program + tour)
  writeJson(join(home, 'tsconfig.json'), { compilerOptions, include: ['main.ts'] })
  await toolOf('clients', ['tsc', '--project', '.'], home).catch((error: Error) => {
    const faults = error.message.split('\n').filter((line) => / error TS\d+: /.test(line))
    assert.ok(faults.length > 0, error.message)
    assert.deepEqual(
      faults.filter((line) => !own?.test(line) || !line.includes('exactOptionalPropertyTypes')),
      [],
    )
  })
  return join(home, 'built/main.js')
}

for (const generator of generators) {
  test(`${generator.name} generates a client that compiles under the strictest flags and works`, async (t) => {
    const { url } = await openServer(t)
    const { stdout } = await run(process.execPath, [await compiled(generator), url, adminKey])
    assert.deepEqual(JSON.parse(stdout), {
      ...{ title: 'A generated client', version: 2, verdict: 'verified', content: 'one line\n', team: 'shop' },
      ...{ listed: ['RUN-001'], names: [], isPerfect: false },
    })
  })
}

test('Redocly reports no error and no warning', async () => {
  writeJson(join(folder, 'lint/redocly.yaml'), { extends: ['recommended-strict'] })
  const args = ['lint', 'openapi.json', '--config', 'redocly.yaml', '--format', 'json']
  const { totals } = JSON.parse(await toolOf('lint', ['redocly', ...args]))
  assert.deepEqual(totals, { errors: 0, warnings: 0, ignored: 0 })
})

test('Spectral reports no error and no warning', async () => {
  writeJson(join(folder, 'lint/spectral.json'), { extends: ['spectral:oas'] })
  const args = [
    'lint',
    'openapi.json',
    '--ruleset',
    'spectral.json',
    '--fail-severity',
    'hint',
    '--quiet',
    '--format',
    'json',
  ]
  assert.deepEqual(JSON.parse(await toolOf('lint', ['spectral', ...args])), [])
})

/** What the proxy reports about a request or response that does not match the description. */
const violationsOf = async (response: Response) =>
  response.headers.get('content-type')?.startsWith('application/problem+json') ? [await response.clone().text()] : []

/** Starts a proxy in front of a server. It refuses all requests and responses that do not match the description. */
async function openProxy(t: TestContext, upstream: string) {
  const port = String(await freePort())
  const args = ['proxy', 'openapi.json', upstream, '--errors', '--host', '127.0.0.1', '--port', port]
  const proxy = spawn(join(folder, 'proxy/node_modules/.bin/prism'), args, { cwd: join(folder, 'proxy') })
  t.after(() => proxy.kill('SIGKILL'))
  let said = ''
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      said += chunk
      if (said.includes('Prism is listening')) resolve()
    }
    proxy.stdout.on('data', read)
    proxy.stderr.on('data', read)
    proxy.once('exit', () => reject(new Error(said)))
  })
  const url = `http://127.0.0.1:${port}`
  const violations: string[] = []
  const count = { requests: 0 }
  const through = async (request: Request) => {
    const response = await fetch(request)
    count.requests++
    for (const one of await violationsOf(response)) violations.push(`${request.method} ${request.url}: ${one}`)
    return response
  }
  return { url, violations, count, through }
}

test('a validating proxy passes all ordinary requests and their responses', async (t) => {
  const server = await openServer(t)
  const { url, violations, count, through } = await openProxy(t, server.url)
  const client = createClient({ url, key: adminKey, attempts: 1, fetch: through })
  for (const name of inOrder) {
    const example = JSON.parse(JSON.stringify(routes[name].example).replace(exampleKey, adminKey))
    await (client[name] as (input: unknown) => Promise<unknown>)(example).catch((error) => violations.push(`${error}`))
  }
  assert.deepEqual(violations, [])
  for (const name of names) {
    for (const shot of fc.sample(rightShot(name), { numRuns: perOperation, seed })) {
      // The API refuses a PATCH without fields.
      if (shot.fields?.length === 0 && addressOf(name).method === 'PATCH') continue
      await through(requestOf(shot, url, adminKey))
    }
  }
  assert.deepEqual(violations, [])
  t.diagnostic(`${count.requests} requests, 0 violations`)
})

test('the proxy refuses requests and responses that do not match the description', async (t) => {
  const liar = createServer((_, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ runs: [{ runId: 1 }], meta: { hasMore: false } }))
  }).listen(0, '127.0.0.1')
  t.after(() => liar.close())
  await once(liar, 'listening')
  const { url, violations, through } = await openProxy(t, `http://127.0.0.1:${(liar.address() as AddressInfo).port}`)
  const headers = { authorization: `Bearer ${adminKey}` }
  await through(new Request(`${url}/v1/runs`, { headers }))
  assert.match(violations.pop() ?? '', /VIOLATIONS.*runId/)
  await through(new Request(`${url}/v1/runs?limit=many`, { headers }))
  assert.match(violations.pop() ?? '', /limit/)
})
