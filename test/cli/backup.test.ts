import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { readRows } from '../proof/database.ts'
import { root } from '../support/built.ts'
import { engines } from '../support/engines.ts'
import { main } from '../support/program.ts'
import { startServer } from '../support/server.ts'
import { freshFolder, homeOf, smallDisk } from './folder.ts'
import { type ProgramEnv, programOf } from './program.ts'

/** A user whose ledger has one run. */
async function ledgerIn(t: TestContext) {
  const folder = freshFolder(t)
  const env: ProgramEnv = homeOf(folder)
  const path = join(folder, '.local/share/conduct/conduct.db')
  const program = programOf(env)
  await program.run('run create --title first')
  const titles = async () =>
    (await readRows<{ title: string }>(`sqlite:${path}`, 'select title from runs order by id')).map((row) => row.title)
  return { folder, env, path, titles, backup: join(folder, 'copy.db'), ...program }
}

test('a backup is one private file, verified, and a restore from it brings back the ledger', async (t) => {
  const { folder, path, backup, run, json, titles } = await ledgerIn(t)
  const told = await json(`backup ${backup}`)
  assert.equal(told.runs, 1)
  assert.equal(told.backup, backup)
  assert.ok(told.newestSeq > 0 && told.newestAt !== null)
  assert.equal(told.bytes, statSync(backup).size)
  assert.equal(statSync(backup).mode & 0o777, 0o600)
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('copy')),
    ['copy.db'],
  )
  await run('run create --title second')
  assert.match(await run(`restore --force ${backup}`), /^runs: +1$/m)
  assert.deepEqual(await titles(), ['first'])
  assert.deepEqual(readdirSync(join(path, '..')), ['conduct.db'])
  assert.equal(statSync(path).mode & 0o777, 0o600)
  await run('run create --title third')
  assert.deepEqual(await titles(), ['first', 'third'])
})

test('a backup replaces a file only with --force, and never the ledger', async (t) => {
  const { path, backup, all, run, titles } = await ledgerIn(t)
  writeFileSync(backup, 'precious')
  const refused = await all(`backup ${backup}`)
  assert.equal(refused.code, 5)
  assert.match(refused.stderr, /copy\.db exists: choose another name, or replace it with --force/)
  assert.equal(readFileSync(backup, 'utf8'), 'precious')
  assert.match((await all(`backup --force ${path}`)).stderr, /is the ledger itself/)
  assert.match((await all(`restore --force ${path}`)).stderr, /is the ledger itself/)
  assert.match((await all(`backup ${backup}/in/it`)).stderr, /There is no folder/)
  await run(`backup --force ${backup}`)
  writeFileSync(`${backup}-wal`, '')
  assert.match((await all(`backup --force ${backup}`)).stderr, /Another process has \S+ open/)
  assert.deepEqual(await titles(), ['first'])
})

test('backups and exports replace no file of the ledger, whatever its name', async (t) => {
  const { folder, path, all, env, titles } = await ledgerIn(t)
  symlinkSync(path, join(folder, 'link'))
  symlinkSync(dirname(path), join(folder, 'folder'))
  linkSync(path, join(folder, 'hard'))
  const beside = [`${path}-wal`, `${path}-shm`, join(folder, 'folder/conduct.db-journal')]
  for (const file of [path, join(folder, 'link'), join(folder, 'hard'), join(folder, 'folder/conduct.db'), ...beside]) {
    for (const command of ['export', 'backup']) {
      const { code, stderr } = await all(`${command} --force ${file}`)
      assert.deepEqual([code, stderr], [5, `conduct: ${file} is the ledger itself.\n`], command)
    }
  }
  const server = await startServer(t, `sqlite:${path}`, { XDG_STATE_HOME: join(folder, '.local/state') })
  const other = programOf({ ...env, CONDUCT_DATABASE_URL: `sqlite:${join(folder, 'other.db')}` })
  await other.run('status')
  for (const file of [path, `${path}-wal`]) {
    assert.match((await other.all(`export --force ${file}`)).stderr, /is the ledger itself/)
  }
  await server.end('SIGTERM')
  assert.deepEqual(await titles(), ['first'])
})

test('backups and exports refuse a place that cannot be written in the same words', async (t) => {
  const { folder, all } = await ledgerIn(t)
  writeFileSync(join(folder, 'file'), '')
  mkdirSync(join(folder, 'empty'))
  const cannot: [words: string, code: number, cause: string][] = [
    ['nowhere/x', 2, 'There is no folder nowhere: create it, or choose another one.'],
    ['file/x', 2, 'There is no folder file: create it, or choose another one.'],
    ['empty', 2, 'empty is a folder: add the name of a file.'],
    ['--force empty', 2, 'empty is a folder: add the name of a file.'],
  ]
  for (const [words, wanted, cause] of cannot) {
    for (const command of ['export', 'backup']) {
      const { code, stderr } = await all(`${command} ${words}`)
      assert.deepEqual([code, stderr], [wanted, `conduct: ${cause}\n`], command)
    }
  }
  for (const command of ['export', 'backup']) {
    const { code, stderr } = await all(`${command} ${join(folder, 'file')}`)
    const cause = `${join(folder, 'file')} exists: choose another name, or replace it with --force.`
    assert.deepEqual([code, stderr], [5, `conduct: ${cause}\n`], command)
  }
})

test('a restore replaces a ledger only with --force, and creates one where there is none', async (t) => {
  const { folder, backup, all, run, env } = await ledgerIn(t)
  await run(`backup ${backup}`)
  const refused = await all(`restore ${backup}`)
  assert.equal(refused.code, 5)
  assert.match(refused.stderr, /There already is a ledger at \S+conduct\.db: replace it with --force/)
  const path = join(folder, 'elsewhere/new.db')
  const elsewhere = programOf({ ...env, CONDUCT_DATABASE_URL: `sqlite:${path}` })
  // SQLite must not apply the write-ahead log of a lost ledger to the restored one.
  mkdirSync(join(folder, 'elsewhere'))
  writeFileSync(`${path}-wal`, 'old')
  await elsewhere.run(`restore ${backup}`)
  assert.match(await elsewhere.run('run list'), /first/)
})

test('a restore replaces the file that a symbolic link leads to, with its write-ahead log', async (t) => {
  const { folder, backup, run, env } = await ledgerIn(t)
  await run(`backup ${backup}`)
  const link = join(folder, 'link.db')
  const disk = join(folder, 'disk')
  symlinkSync('disk/real.db', link)
  const linked = programOf({ ...env, CONDUCT_DATABASE_URL: `sqlite:${link}` })
  await linked.run(`restore ${backup}`)
  assert.ok(lstatSync(link).isSymbolicLink())
  writeFileSync(join(disk, 'real.db-wal'), 'old')
  await linked.run(`restore --force ${backup}`)
  assert.ok(lstatSync(link).isSymbolicLink())
  assert.deepEqual(readdirSync(disk), ['real.db'])
  assert.match(await linked.run('run list'), /first/)
})

test('a restore by root leaves the ledger to its owner, or to that of its folder', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('Only root may give files away.')
  const { path, backup, run } = await ledgerIn(t)
  const owner = () => [statSync(path).uid, statSync(path).gid, statSync(path).mode & 0o777]
  await run(`backup ${backup}`)
  chownSync(path, 4711, 4712)
  await run(`restore --force ${backup}`)
  assert.deepEqual(owner(), [4711, 4712, 0o600])
  rmSync(path)
  chownSync(join(path, '..'), 4713, 4714)
  await run(`restore ${backup}`)
  assert.deepEqual(owner(), [4713, 4714, 0o600])
})

test("a restore does not replace a ledger that any user's process has open", async (t) => {
  const { path, backup, run, env, titles } = await ledgerIn(t)
  await run(`backup ${backup}`)
  const server = await startServer(t, `sqlite:${path}`, { XDG_STATE_HOME: join(env.HOME ?? '', '.local/state') })
  const own = await programOf(env).all(`restore --force ${backup}`)
  assert.equal(own.code, 5)
  assert.match(own.stderr, /A server has \S+ open, at http\S+: stop it first/)
  const other = await programOf({ ...env, XDG_STATE_HOME: join(env.HOME ?? '', 'nobody') }).all(
    `restore --force ${backup}`,
  )
  assert.equal(other.code, 5)
  assert.match(other.stderr, /conduct\.db is open in another process: stop the server first/)
  await run('run create --title second')
  await server.end('SIGTERM')
  assert.deepEqual(await titles(), ['first', 'second'])
  await run(`restore --force ${backup}`)
  assert.deepEqual(await titles(), ['first'])
})

/** What no ledger has, with the error. */
const foreign: Record<string, RegExp> = {
  'create trigger t after insert on keys begin update keys set permissions = \'["admin"]\'; end':
    /it has the trigger t, which no ledger has/,
  'create view v as select * from keys': /it has the view v, which no ledger has/,
  'create table extra (id integer)': /it has the table extra, which no ledger has/,
  'alter table keys add column extra text': /the table keys is not that of a ledger/,
  'drop index runs_by_time': /the index runs_by_time is missing/,
}

test('a damaged, foreign, newer or missing backup is not restored, and nothing is written', async (t) => {
  const { folder, path, backup, all, run, titles } = await ledgerIn(t)
  await run(`backup ${backup}`)
  const before = readFileSync(path)
  const refuses = async (file: string, words: RegExp) => {
    const { code, stderr } = await all(`restore --force ${file}`)
    assert.notEqual(code, 0)
    assert.match(stderr, words)
    assert.deepEqual(readdirSync(join(path, '..')), ['conduct.db'])
    assert.deepEqual(readFileSync(path), before)
  }
  const damaged = join(folder, 'damaged.db')
  const bytes = readFileSync(backup)
  bytes.fill(0xff, bytes.length - 40_000, bytes.length - 20_000)
  writeFileSync(damaged, bytes)
  await refuses(damaged, /damaged\.db is damaged: /)
  writeFileSync(damaged, bytes.subarray(0, bytes.length / 2))
  await refuses(damaged, /damaged\.db is damaged: /)
  const text = join(folder, 'text.db')
  writeFileSync(text, 'not a database at all, but text '.repeat(1000))
  await refuses(text, /text\.db is damaged: /)
  writeFileSync(text, '')
  await refuses(text, /text\.db is not a Conduct ledger/)
  const newer = join(folder, 'newer.db')
  copyFileSync(backup, newer)
  await readRows(`sqlite:${newer}`, 'insert into schema_versions (version) values (999) returning version')
  await refuses(newer, /has schema version 999, and this Conduct supports versions up to \d+/)
  for (const [n, [statement, words]] of Object.entries(foreign).entries()) {
    const file = join(folder, `foreign-${n}.db`)
    copyFileSync(backup, file)
    const db = new DatabaseSync(file)
    db.exec(statement)
    db.close()
    await refuses(file, words)
  }
  await refuses(join(folder, 'missing.db'), /There is no backup at/)
  assert.deepEqual(await titles(), ['first'])
})

test('a ledger that SQLite cannot read is replaced with --force', async (t) => {
  const { path, backup, run, titles } = await ledgerIn(t)
  await run(`backup ${backup}`)
  writeFileSync(path, 'no ledger any more'.repeat(1000))
  await run(`restore --force ${backup}`)
  assert.deepEqual(await titles(), ['first'])
})

test('a killed backup leaves only a partial file, which a later backup removes', async (t) => {
  const { folder, backup, run } = await ledgerIn(t)
  const dead = `${backup}.0badcafe.part`
  const young = `${backup}.00c0ffee.part`
  const left = ['', '-journal', '-wal', '-shm'].map((end) => dead + end)
  for (const name of [...left, young]) writeFileSync(name, 'half')
  const longAgo = Date.now() / 1000 - 7200
  for (const name of left) utimesSync(name, longAgo, longAgo)
  await run(`backup ${backup}`)
  assert.deepEqual(
    readdirSync(folder)
      .filter((name) => name.startsWith('copy'))
      .sort(),
    ['copy.db', 'copy.db.00c0ffee.part'],
  )
})

test('a backup and an export report a full disk and a read-only folder, and leave nothing', async (t) => {
  const { folder, all, run } = await ledgerIn(t)
  await run(`spec create -`, 'word '.repeat(180_000))
  const small = smallDisk(t, '512k')
  if (small) {
    const backup = await all(`backup ${join(small, 'copy.db')}`)
    const exported = await all(`export ${join(small, 'ledger.ndjson')}`)
    assert.deepEqual([backup.code, exported.code], [1, 1])
    assert.match(backup.stderr, /The disk of \S+small is full: the copy was deleted/)
    assert.match(exported.stderr, /^conduct: Cannot write \S+small\/ledger\.ndjson: ENOSPC: no space left/)
    assert.deepEqual(readdirSync(small), [])
  }
  if (process.getuid?.() === 0) return
  const closed = join(folder, 'closed')
  mkdirSync(closed)
  chmodSync(closed, 0o500)
  for (const command of ['backup', 'export']) {
    const { code, stderr } = await all(`${command} ${join(closed, 'copy.db')}`)
    assert.equal(code, 2, stderr)
    assert.match(stderr, /Cannot write/)
  }
})

test('backup refuses a server, PostgreSQL, a ledger in memory and a missing one', async (t) => {
  const folder = freshFolder(t)
  const tried = async (env: ProgramEnv, words: string) => programOf({ ...homeOf(folder), ...env }).all(words)
  const server = { CONDUCT_URL: 'http://127.0.0.1:9/conduct', CONDUCT_API_KEY: 'x' }
  assert.match(
    (await tried(server, 'backup copy.db')).stderr,
    /is a server: run this command on its machine, or add --profile local/,
  )
  const [, postgres] = engines
  const url = (await postgres?.freshUrl(t)) ?? ''
  const dump = await tried({ CONDUCT_DATABASE_URL: url }, 'backup copy.db')
  assert.equal(dump.code, 2)
  assert.match(dump.stderr, /in PostgreSQL: back it up with pg_dump --format=custom/)
  const recipe =
    /stop the servers, create an empty database, and run (pg_restore --no-owner --exit-on-error --dbname=)<its URL> conduct\.dump/
  const { stderr } = await tried({ CONDUCT_DATABASE_URL: url }, 'restore copy.db')
  const [, command = 'no recipe'] = recipe.exec(stderr) ?? []
  assert.ok(readFileSync(join(root, 'docs/backup.md'), 'utf8').includes(`\n${command}`), stderr)
  assert.match((await tried({ CONDUCT_DATABASE_URL: 'sqlite::memory:' }, 'backup copy.db')).stderr, /in memory/)
  assert.equal((await tried({}, 'backup copy.db')).code, 4)
  assert.ok(!existsSync(join(folder, '.local/share')))
})

test('the SQLite commands of docs/backup.md work one after the other', async (t) => {
  const folder = freshFolder(t)
  const page = readFileSync(join(root, 'docs/backup.md'), 'utf8')
  const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text)
  assert.equal(blocks.length, 2)
  const script = `conduct() { "${process.execPath}" "${main}" "$@"; }\n${blocks.join('')}`
  const { status, stdout, stderr } = spawnSync('sh', ['-e', '-c', script], {
    env: homeOf(folder),
    cwd: folder,
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
  assert.match(stdout, /Log in/)
})

test('an export fills only a database that the user meant: with a server in use, a flag must name it', async (t) => {
  const { folder, env, path, all, run } = await ledgerIn(t)
  const file = join(folder, 'ledger.ndjson')
  await run(`export ${file}`)
  rmSync(path)
  const program = programOf({ ...env, CONDUCT_URL: 'http://127.0.0.1:1/conduct' })
  const refused = await program.all(`import ${file}`)
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /127\.0\.0\.1:1\/conduct is a server: .*add --profile local/)
  assert.ok(!existsSync(path))
  assert.match(await program.run(`import ${file} --check`), /^runs: +1$/m)
  const other = join(folder, 'other.db')
  assert.match(await program.run(`import ${file} --database-url sqlite:${other}`), /^runs: +1$/m)
  assert.match(await program.run(`import ${file} --profile local`), /^runs: +1$/m)
  const moved = `${file}.again`
  await program.run(`export ${moved} --database-url sqlite:${other}`)
  assert.deepEqual(readFileSync(moved), readFileSync(file))
  const both = await all(`import ${file} --profile local --database-url sqlite:${other}`)
  assert.match(both.stderr, /--database-url and --profile exclude each other/)
})
