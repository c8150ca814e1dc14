import assert from 'node:assert/strict'
import { programOf } from './program.ts'
import { secret } from './session.ts'
import { testPlaces, writeFiles } from './user.ts'

testPlaces('commands mask the texts of runs, specs, checks and features, and nothing else', async (user) => {
  const { env, cwd } = user
  writeFiles(cwd, { 'a.md': `content ${secret}\n` })
  const { run, json } = programOf(env, cwd)
  await run(
    `run create a.md --title 'title ${secret}' --command 'deploy --token hunter2secret' --label l=${secret} --lease-token ${secret} --lease-seconds 60`,
  )
  await run(`run append RUN-001 - --lease-token ${secret}`, `appended ${secret}\n`)
  await run(`run update RUN-001 --agent 'agent ${secret}' --lease-token ${secret} --status completed`)
  await run(`run link RUN-001 'feature ${secret}'`)
  await run(`spec create a.md --spec-id AUTH-001 --title 'spec ${secret}'`)
  await run(`spec update AUTH-001 --title 'changed ${secret}'`)
  await run(`check create a.md --run-id RUN-001 --name 'check ${secret}' --result fail --command 'test ${secret}'`)
  await run(`feature create --name 'other ${secret}' --description 'does ${secret}'`)
  await run(`attention update RUN-001 --note 'see ${secret}'`)
  const client = await user.ledger()
  const told = await Promise.all([
    client.getRun({ runId: 'RUN-001' }),
    client.readContent({ runId: 'RUN-001' }),
    client.getSpec({ specId: 'AUTH-001' }),
    client.listChecks({}),
    client.listFeatures({}),
    client.listEvents({ limit: 100 }),
  ])
  assert.doesNotMatch(JSON.stringify(told), new RegExp(`${secret}|hunter2secret`))
  assert.equal(told[1].text, 'content [masked]\nappended [masked]\n')
  const { body } = await json(`run create --title 'title ${secret}' --dry-run`)
  assert.deepEqual(body, { title: 'title [masked]' })
  const url = `https://hooks.example.com/?token=${secret}`
  assert.deepEqual((await json(`webhook create --url ${url} --dry-run`)).body, { url })
  assert.equal((await json(`key create --name ${secret} --permission read --service`)).key.name, secret)
})

testPlaces('ids are written as they are given, also where they look like keys', async ({ env, cwd }) => {
  const { json } = programOf(env, cwd)
  const runId = 'fc-5d41402abc4b2a76b9719d911017c592'
  assert.equal((await json(`run create --run-id ${runId} --title x`)).run.runId, runId)
  assert.equal((await json(`run update ${runId} --status completed`)).run.runId, runId)
})
