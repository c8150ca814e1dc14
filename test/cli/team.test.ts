import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { main } from '../support/program.ts'
import { startServer } from '../support/server.ts'
import { freshFolder, homeOf } from './folder.ts'

const page = readFileSync(new URL('../../docs/team.md', import.meta.url), 'utf8')

/** The commands of a section, by the beginning of its heading. */
function commandsOf(heading: string): string[] {
  const section = page.split(/^## /m).find((text) => text.startsWith(heading)) ?? assert.fail(heading)
  return [...section.matchAll(/^\$ (.*)$/gm)].map(([, command = '']) => command)
}

/** A person with a home of its own in that folder: runs a command in a folder of the home, and returns what it prints. */
function person(root: string, name: string) {
  const home = join(root, name)
  mkdirSync(home)
  writeFileSync(
    join(home, '.gitconfig'),
    `[user]\nname = ${name}\nemail = ${name}@example.com\n[init]\ndefaultBranch = main\n`,
  )
  return async (command: string, { cwd = 'shop', env = {} }: { cwd?: string; env?: object } = {}) => {
    const script = `conduct() { "${process.execPath}" "${main}" "$@"; }\n${command}`
    const options = { cwd: join(home, cwd), env: { ...homeOf(home), ...env } }
    const { stdout, stderr } = await promisify(execFile)('sh', ['-e', '-c', script], options).catch((error) =>
      assert.fail(`${name}: ${command}\n${error.stdout}${error.stderr}`),
    )
    return stdout + stderr
  }
}

test('the commands of docs/team.md lead from a laptop to a team', async (t) => {
  const root = freshFolder(t)
  const [ada, ben, ci, server] = [person(root, 'ada'), person(root, 'ben'), person(root, 'ci'), person(root, 'server')]

  await ada(`git init -q --bare ${root}/shop.git; git clone -q ${root}/shop.git`, { cwd: '' })
  await ada(`echo '{ "scripts": { "test": "node --version" } }' > package.json; mkdir ~/.claude`)
  for (const command of commandsOf('5.').slice(0, 2)) await ada(command)
  await ada('conduct exec -- true')

  const [exporting = ''] = commandsOf('1.')
  await ada(exporting)
  copyFileSync(join(root, 'ada/shop/shop.ndjson'), join(root, 'server/shop.ndjson'))
  await ada('rm shop.ndjson')
  const [importing = '', serving] = commandsOf('2.')
  const ledger = `sqlite:${root}/server/.local/share/conduct/conduct.db`
  assert.match(await server(importing, { cwd: '' }), /^runs: +1$/m)
  assert.equal(serving, 'conduct serve')
  const { url, end } = await startServer(t, ledger)

  const secrets: string[] = []
  for (const command of commandsOf('3.')) {
    const [, secret] = /^secret: +(\S+)$/m.exec(await server(command, { cwd: '' })) ?? []
    if (secret) secrets.push(secret)
  }
  const [adas = '', bens = '', cis = ''] = secrets
  const [adding = ''] = commandsOf('4.').map((command) => command.replace('https://conduct.example.com/conduct', url))
  await ben(`git clone -q ${root}/shop.git`, { cwd: '' })
  assert.match(await ada(`echo ${adas} | ${adding} --key-stdin`), /^key: +ada$/m)
  assert.match(await ben(`echo ${bens} | ${adding} --key-stdin`), /^profile: +team, in use$/m)

  const [doctor = '', list = ''] = commandsOf('5.').slice(2)
  assert.match(await ben(doctor), /^ok +key +ben may write$/m)
  await ben(`conduct exec -- sh -c 'echo 1 > pay.js; git add pay.js; git commit -qm Pay; git push -q'`)
  assert.match(await ada(list), /^RUN-002 +completed +unchecked/m)

  const [checking = ''] = commandsOf('6.')
  await ci(`git clone -q ${root}/shop.git`, { cwd: '' })
  const secretsOfPipeline = { CONDUCT_URL: url, CONDUCT_API_KEY: cis }
  assert.match(await ci(checking, { env: secretsOfPipeline }), /recorded for RUN-002, by commit/)
  assert.match(await ada(list), /Checked by ci \(independent\); the key names no person/)

  await end('SIGTERM')
  const moved = `sqlite:${root}/server/moved.db`
  const moving = commandsOf('Later')
    .slice(0, 3)
    .map((command) => command.replace(/postgres:\S+/, moved))
  assert.match(await server(moving.join('\n'), { cwd: '' }), /^keys: +4$/m)
  const after = await startServer(t, moved)
  assert.match(
    await ci(`conduct run list`, { env: { ...secretsOfPipeline, CONDUCT_URL: after.url } }),
    /^RUN-002 +completed +verified/m,
  )
})
