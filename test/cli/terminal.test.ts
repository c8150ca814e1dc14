import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createClient } from '../../src/client/client.ts'
import { showsOwners } from '../../src/system/peer.ts'
import { adminKey, openServer, startServer } from '../support/server.ts'
import { freshFolder, homeOf } from './folder.ts'
import { onTerminal } from './on-terminal.ts'
import { conductHere } from './program.ts'

const esc = '\u001b'

test('on a terminal, the prompt for the key does not show it', async (t) => {
  const { url } = await openServer(t)
  const { terminal, shows, ended, text } = onTerminal(t, ['profile', 'add', 'work', url], homeOf(freshFolder(t)))
  await shows(/The key/)
  terminal.write(`${adminKey}\r`)
  await shows(/first admin/)
  assert.equal(await ended, 0)
  assert.ok(!text().includes(adminKey.slice(0, 12)))
})

for (const [key, sent] of [
  ['Ctrl-C', '\u0003'],
  ['Ctrl-D', '\u0004'],
] as const) {
  test(`${key} at a prompt changes nothing, and is no success`, async (t) => {
    const { url } = await openServer(t)
    const env = homeOf(freshFolder(t))
    const adding = onTerminal(t, ['profile', 'add', 'work', url], env)
    await adding.shows(/The key/)
    adding.terminal.write(sent)
    await adding.shows(/No key was given/)
    assert.equal(await adding.ended, 2)
    const deleting = onTerminal(t, ['project', 'delete', 'shop'], {
      ...env,
      CONDUCT_URL: url,
      CONDUCT_API_KEY: adminKey,
    })
    await deleting.shows(/Type its name/)
    deleting.terminal.write(sent)
    await deleting.shows(/Nothing was deleted/)
    assert.equal(await deleting.ended, 2)
  })
}

test('a table fits 60 columns, with colours unless they are switched off', async (t) => {
  const { url } = await openServer(t)
  const client = createClient({ url, key: adminKey })
  await client.createRun({
    title: `\u001b]0;owned\u0007${'a title that is much too long '.repeat(5)}`,
    status: 'failed',
  })
  await client.createRun({ title: '漢字'.repeat(40), agent: 'an agent with a long name', status: 'completed' })
  const env = { ...homeOf(freshFolder(t)), CONDUCT_URL: url, CONDUCT_API_KEY: adminKey }
  const coloured = onTerminal(t, ['run', 'list'], env, 60)
  assert.equal(await coloured.ended, 0)
  assert.match(coloured.text(), new RegExp(`${esc}\\[31mfailed${esc}\\[39m`))
  const plain = onTerminal(t, ['run', 'list'], { ...env, NO_COLOR: '1' }, 60)
  assert.equal(await plain.ended, 0)
  assert.ok(!plain.text().includes(esc) && !plain.text().includes('\u0007'), JSON.stringify(plain.text()))
  const lines = plain.text().trim().split('\r\n')
  assert.equal(lines.length, 3)
  for (const line of lines) assert.ok(columnsOf(line) <= 60, line)
  assert.match(plain.text(), /…/)
  const flag = onTerminal(t, ['run', 'list', '--no-color'], env, 60)
  await flag.ended
  assert.ok(!flag.text().includes(esc))
})

const columnsOf = (line: string) => [...line].reduce((sum, letter) => sum + (/[漢字]/.test(letter) ? 2 : 1), 0)

test('the terminal shows a wait of more than a second, and clears it', async (t) => {
  const server = await startServer(t, 'sqlite::memory:')
  server.process.kill('SIGSTOP')
  const env = { ...homeOf(freshFolder(t)), CONDUCT_URL: server.url, CONDUCT_API_KEY: adminKey }
  const { shows, ended } = onTerminal(t, ['whoami'], env)
  await shows(/Waiting for http:\S+ \(\d+ s\)/)
  server.process.kill('SIGCONT')
  assert.equal(await ended, 0)
  await shows(new RegExp(`\r${esc}\\[Kid: `))
})

test('conduct open opens a link in the browser, and prints it where there is none', async (t) => {
  const { url } = await openServer(t)
  const home = freshFolder(t)
  const programs = join(home, 'programs')
  mkdirSync(programs)
  const env = { ...homeOf(home), PATH: programs, CONDUCT_URL: url, CONDUCT_API_KEY: adminKey }
  const without = onTerminal(t, ['open'], env)
  await without.shows(/#code=code_\w{43}/)
  assert.equal(await without.ended, 0)
  const visit = `fetch(process.argv[1], { redirect: 'manual' }).then((got) => require('fs').writeFileSync('visited', got.headers.get('location') ?? process.argv[1]))`
  const script = `#!/bin/sh\nprintf %s "$1" > '${join(home, 'opened')}'\ncd '${home}'\nexec '${process.execPath}' -e "${visit}" "$1"\n`
  for (const name of ['xdg-open', 'open']) writeFileSync(join(programs, name), script, { mode: 0o755 })
  const opened = onTerminal(t, ['open'], { ...env, PATH: [programs, process.env.PATH].join(delimiter) })
  assert.equal(await opened.ended, 0)
  const link = readFileSync(join(home, 'visited'), 'utf8')
  assert.match(link.slice(url.length), /^\/#code=code_\w{43}$/)
  // Other users of the machine can read the arguments of programs.
  if (showsOwners) assert.ok(!readFileSync(join(home, 'opened'), 'utf8').includes('code'))
  assert.ok(!opened.text().includes('code_'))
})

/** A run on a server with a change of one file. */
async function changed(t: TestContext, patch: string) {
  const { url } = await openServer(t)
  const client = createClient({ url, key: adminKey })
  const { runId } = (await client.createRun({ status: 'in_progress' })).run
  await client.appendTurn({ runId, n: 1, prompt: 'Change a file.' })
  const change = {
    status: 'modified',
    before: '1'.repeat(40),
    after: '2'.repeat(40),
    insertions: 1,
    deletions: 1,
  } as const
  await client.addDiffs({ runId, turn: 1, diffs: [{ path: 'a.ts', change: { ...change, patch } }] })
  return { url, runId }
}

test('a patch has the exact bytes of a file, but does nothing on a terminal', async (t) => {
  const { url, runId } = await changed(t, `@@ -1 +1 @@\n-a\n+${esc}]0;title\u0007b\n`)
  const env = { ...homeOf(freshFolder(t)), CONDUCT_URL: url, CONDUCT_API_KEY: adminKey }
  const words = ['run', 'diff', runId, '--patch']
  const { ended, text } = onTerminal(t, words, env)
  assert.equal(await ended, 0)
  assert.match(text(), /^-a\r\n\+b\r$/m)
  const { stdout } = await conductHere(words, env)
  assert.ok(stdout.endsWith(`-a\n+${esc}]0;title\u0007b\n`), stdout)
})

test('the pager is that of an absolute folder of the PATH', async (t) => {
  const { url, runId } = await changed(t, '@@ -1 +1 @@\n-a\n+b\n')
  const home = freshFolder(t)
  const programs = join(home, 'programs')
  mkdirSync(programs)
  writeFileSync(join(home, 'less'), '#!/bin/sh\necho of the folder\n', { mode: 0o755 })
  writeFileSync(join(programs, 'less'), '#!/bin/sh\necho of the user\n', { mode: 0o755 })
  const env = {
    ...homeOf(home),
    PATH: ['.', '', programs].join(delimiter),
    CONDUCT_URL: url,
    CONDUCT_API_KEY: adminKey,
  }
  const { ended, text } = onTerminal(t, ['run', 'diff', runId], env)
  assert.equal(await ended, 0)
  assert.match(text(), /of the user/)
})

test('a terminal asks for the name of a project before deleting it', async (t) => {
  const { url } = await openServer(t)
  const client = createClient({ url, key: adminKey })
  await client.createProject({ slug: 'gone', name: 'Long gone' })
  const env = { ...homeOf(freshFolder(t)), CONDUCT_URL: url, CONDUCT_API_KEY: adminKey }
  const asked = async (answer: string) => {
    const { terminal, shows, ended, text } = onTerminal(t, ['project', 'delete', 'gone'], env, 200)
    await shows(/deletes all runs, specs, checks and features of project 'gone' for good\. Type its name/)
    terminal.write(answer)
    return { code: await ended, text: text() }
  }
  const cancelled = await asked('\u0003')
  assert.deepEqual([cancelled.code, /Nothing was deleted/.test(cancelled.text)], [2, true], cancelled.text)
  const nothing = await asked('\r')
  assert.equal(nothing.code, 2, nothing.text)
  const wrong = await asked('gone\r')
  assert.equal(wrong.code, 2, wrong.text)
  assert.match(wrong.text, /--confirm must be the name of the project, 'Long gone', not 'gone'/)
  assert.equal((await client.getProject({ slug: 'gone' })).project.name, 'Long gone')

  const right = await asked('Long gone\r')
  assert.equal(right.code, 0, right.text)
  await assert.rejects(client.getProject({ slug: 'gone' }), { code: 'NOT_FOUND' })
})
