import assert from 'node:assert/strict'
import { test } from 'node:test'
import { engines } from '../support/engines.ts'
import { adminKey, openServer } from '../support/server.ts'
import { freshFolder, homeOf } from './folder.ts'
import { programOf } from './program.ts'
import { testPlaces } from './user.ts'

testPlaces('a list as CSV has one header line for all pages', async ({ env }) => {
  const { run, all } = programOf(env)
  for (const n of [1, 2, 3]) await run(`spec create - --spec-id S-${n} --title '=${n}, "x"'`, 'text')
  const lines = (await run('spec list --csv --all --limit 1 --order asc')).split('\r\n')
  assert.match(lines[0] ?? '', /^id,project,specId,title,status,agent,checklist\.total,checklist\.done,/)
  assert.deepEqual(
    lines.slice(1, -1).map((line) => /^\d+,[^,]+,(S-\d),("'=\d, ""x""")/.exec(line)?.slice(1)),
    [1, 2, 3].map((n) => [`S-${n}`, `"'=${n}, ""x"""`]),
  )
  const first = await all('spec list --csv --limit 1')
  assert.match(first.stderr, /There is more: use --all/)
  assert.equal(await run('check list --csv'), (await run('check list --csv')).split('\r\n')[0]?.concat('\r\n'))
  assert.match(await run('stats --csv'), /^day,runs,byStatus\.pending/)
  assert.match(await run('stats --csv --by agent'), /^value,runs,/)
  for (const other of ['--json', '--quiet']) {
    const { code, stderr } = await all(`spec list --csv ${other}`)
    assert.deepEqual([code, /--csv and --\w+ exclude each other/.test(stderr)], [2, true], stderr)
  }
  assert.equal((await all('spec get S-1 --csv')).code, 2)
})

for (const engine of engines) {
  test(`the command prints what the server sends (${engine.name})`, async (t) => {
    const { url } = await openServer(t, (await engine.ledger(t)).url)
    const { run } = programOf({ ...homeOf(freshFolder(t)), CONDUCT_URL: url, CONDUCT_API_KEY: adminKey })
    await run(`run create --title 'a "b", c' --label team=web`)
    const headers = { authorization: `Bearer ${adminKey}`, accept: 'text/csv' }
    for (const [words, path] of [
      ['run list', 'runs'],
      ['events', 'events'],
      ['run timeline RUN-001', 'runs/RUN-001/timeline'],
    ]) {
      const sent = await (await fetch(`${url}/v1/${path}`, { headers })).text()
      assert.equal(await run(`${words} --csv`), sent)
    }
  })
}
