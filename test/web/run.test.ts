import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blank, openPage } from '../support/browser.ts'

test('a run is finished, checked, labelled and deleted', async (t) => {
  const { page, client } = await openPage(t)
  await client.createRun({ title: 'Add a limit', status: 'in_progress' })
  await page.locator('.lane').getByRole('link', { name: 'Add a limit' }).click()
  await page.getByText('Finish').click()
  await page.getByRole('button', { name: 'Complete run' }).click()
  await page.locator('.standing').getByText('Completed').waitFor()

  await page.getByRole('button', { name: 'Add check' }).click()
  const check = page.getByRole('dialog', { name: 'Check RUN-001' })
  await check.getByRole('radio', { name: 'Warn' }).check()
  await check.getByLabel(/^What was found/).fill('It says **nothing** of the limit.')
  await check.getByRole('button', { name: 'Add check' }).click()
  await page.locator('.standing').getByText('Warned').waitFor()
  await page.locator('summary', { hasText: 'review' }).click()
  await page.locator('.checks strong', { hasText: 'nothing' }).waitFor()

  await page.getByRole('button', { name: 'Edit labels' }).click()
  await page.getByRole('textbox').fill('team: web\nurl: a:b')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('link', { name: 'team: web' }).waitFor()
  const { run } = await client.getRun({ runId: 'RUN-001' })
  assert.deepEqual([run.status, run.verdict, run.labels], ['completed', 'warned', { team: 'web', url: 'a:b' }])

  await page.locator('.actions summary', { hasText: 'More actions' }).click()
  await page.getByRole('button', { name: 'Delete run' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete run' }).click()
  await page.getByText('No runs yet').waitFor()
  await assert.rejects(client.getRun({ runId: 'RUN-001' }), { code: 'NOT_FOUND' })
})

test('a line that is no label is named, and nothing is saved', async (t) => {
  const { page, client } = await openPage(t, '#/runs/default/RUN-001')
  await client.createRun({ runId: 'RUN-001', title: 'Hold a boat', labels: { team: 'web' } })
  await page.getByRole('button', { name: 'Edit labels' }).click()
  const dialog = page.getByRole('dialog')
  const save = async (text: string) => {
    await dialog.getByLabel('One on each line').fill(text)
    await dialog.getByRole('button', { name: 'Save', exact: true }).click()
  }
  await save('team: api\n\nbroken line\ntier: 1')
  await dialog.getByText("Line 3, 'broken line': a label name is").waitFor()
  await save('team: api\n: 1')
  await dialog.getByText("Line 2, ': 1': a label name is").waitFor()
  await save(`team: ${'long'.repeat(100)}`)
  await dialog.getByText("Line 1, 'team: longlong").waitFor()
  assert.deepEqual((await client.getRun({ runId: 'RUN-001' })).run.labels, { team: 'web' })
  await save('team: api\ntier: 1')
  await dialog.waitFor({ state: 'detached' })
  assert.deepEqual((await client.getRun({ runId: 'RUN-001' })).run.labels, { team: 'api', tier: '1' })
})

test('labels that no line can hold outlive a change of the others', async (t) => {
  const { page, client } = await openPage(t, '#/runs/default/RUN-001')
  const labels = { note: 'one\ntwo', pad: ' x ', team: 'web' }
  await client.createRun({ runId: 'RUN-001', title: 'Hold a boat', labels })
  await page.getByRole('button', { name: 'Edit labels' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('because a value has several lines or blanks around it: note, pad').waitFor()
  const text = dialog.getByLabel('One on each line')
  assert.equal(await text.inputValue(), 'team: web')
  await text.fill('team: api')
  await dialog.getByRole('button', { name: 'Save', exact: true }).click()
  await dialog.waitFor({ state: 'detached' })
  assert.deepEqual((await client.getRun({ runId: 'RUN-001' })).run.labels, { ...labels, team: 'api' })
})

test('a conflicting change is reported, the page shows the new values, and the user can save again', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createRun({ title: 'Ours', status: 'completed' })
  await page.goto(`${home}#/runs/default/RUN-001`)
  await page.getByRole('button', { name: 'Edit labels' }).click()
  await page.getByRole('textbox').fill('team: web')
  // Another client writes between the reading and the saving.
  let writes = 0
  await page.route('**/v1/runs/RUN-001', async (route) => {
    const isFirstWrite = route.request().method() === 'PATCH' && writes++ === 0
    if (isFirstWrite) await client.updateRun({ runId: 'RUN-001', labels: { team: 'api' } })
    await route.continue()
  })
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('alert').getByText('Somebody else changed this').waitFor()
  assert.deepEqual((await client.getRun({ runId: 'RUN-001' })).run.labels, { team: 'api' })
  await page.locator('.about').getByText('team: api').waitFor()
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('link', { name: 'team: web' }).waitFor()
})

test('labels are saved after several appends within a millisecond', async (t) => {
  const { page, client, home, live } = await openPage(t, blank)
  await client.createRun({ title: 'Ours' })
  await page.goto(`${home}#/runs/default/RUN-001`)
  await live
  const append = (text: string) => client.appendToRun({ runId: 'RUN-001', text: `${text}\n` })
  await append('first')
  await page.getByText('first').waitFor()
  // By then the page has read the run that it reads again once its stream is open.
  await page.waitForTimeout(2_500)
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  for (const line of ['second', 'third', 'fourth']) await append(line)
  t.mock.timers.reset()
  await append('The end of it')
  await page.getByText('The end of it').waitFor()
  await page.getByRole('button', { name: 'Edit labels' }).click()
  await page.getByRole('textbox').fill('team: web')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('link', { name: 'team: web' }).waitFor()
})

test('the labels that a user changes are merged with those that others changed meanwhile', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createRun({ title: 'Ours', status: 'completed', labels: { team: 'web', old: 'yes', kept: 'a' } })
  await page.goto(`${home}#/runs/default/RUN-001`)
  await page.getByRole('button', { name: 'Edit labels' }).click()
  await page.getByRole('textbox').fill('team: shop\nkept: a\npriority: high')
  await client.updateRun({ runId: 'RUN-001', labels: { team: 'web', old: 'yes', kept: 'b', approved: 'grace' } })
  await page.getByRole('link', { name: 'approved: grace' }).waitFor()
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('link', { name: 'priority: high' }).waitFor()
  const { labels } = (await client.getRun({ runId: 'RUN-001' })).run
  assert.deepEqual(labels, { team: 'shop', kept: 'b', approved: 'grace', priority: 'high' })
})

test('a run that an agent holds can be cancelled while it writes, but not completed', async (t) => {
  const { page, client } = await openPage(t)
  const { run, lease } = await client.createRun({ title: 'Held', leaseSeconds: 60 })
  const write = () => client.appendToRun({ runId: run.runId, text: 'a line\n', leaseToken: lease?.token })
  await page.locator('.lane').getByRole('link', { name: 'Held' }).click()
  await page.getByText('Finish').click()
  await page.getByRole('button', { name: 'Cancel run' }).waitFor()
  assert.equal(await page.getByRole('button', { name: 'Complete run' }).count(), 0)
  // It asks before it ends what an agent holds.
  await page.getByRole('button', { name: 'Cancel run' }).click()
  const dialog = page.getByRole('dialog', { name: 'Cancel RUN-001?' })
  await dialog.getByRole('button', { name: 'Close' }).click()
  assert.equal((await client.getRun({ runId: 'RUN-001' })).run.status, 'in_progress')
  await page.getByText('Finish').click()
  let writes = 0
  await page.route('**/v1/runs/RUN-001', async (route) => {
    if (route.request().method() === 'PATCH' && writes++ < 2) await write()
    await route.continue()
  })
  await page.getByRole('button', { name: 'Cancel run' }).click()
  await dialog.getByRole('button', { name: 'End the run' }).click()
  await page.getByText('CANCELLED', { exact: true }).waitFor()
  await page.locator('.standing').getByText('Failed').waitFor()
  assert.equal(writes, 3)
})

test("an action that the key does not allow is not offered, and the server's refusal is shown", async (t) => {
  const { page, client, context, home } = await openPage(t, '', { permissions: ['read'] })
  await client.createRun({ title: 'Failed one', status: 'failed' })
  await page.getByRole('region', { name: 'Needs attention' }).getByText('Failed one').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Resolve' }).count(), 0)
  assert.equal(await page.getByRole('combobox', { name: 'Put off' }).count(), 0)
  await page.getByRole('link', { name: 'Failed one' }).first().click()
  await page.locator('.retry').getByText('conduct exec --project default --retry-of RUN-001 --').waitFor()
  for (const name of ['Add check', 'Edit labels']) assert.equal(await page.getByRole('button', { name }).count(), 0)
  assert.equal(await page.getByText('More actions').count(), 0)

  // A page that assumes more permissions than the key has.
  const permissions = ['admin']
  await context.route('**/v1/auth/me', (route) => route.fulfill({ json: { key: null, permissions } }))
  await page.goto(`${home}?again#/runs/default/RUN-001`)
  await page.getByRole('button', { name: 'Add check' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Add check' }).click()
  await page.getByRole('alert').getByText("requires a key with the permission 'agent'").waitFor()
})

test('the title counts the runs that need attention, and a decision does not change the run', async (t) => {
  const { page, client, home } = await openPage(t)
  await client.createRun({ title: 'First try', status: 'failed' })
  const { run } = await client.createRun({ title: 'Broken', status: 'failed' })
  const needs = page.getByRole('region', { name: 'Needs attention' })
  await needs.getByText('First try').waitFor()
  await page.waitForFunction(() => document.title === '(2) Now · Conduct')
  await client.createRun({ title: 'Second try', retryOf: 'RUN-001', status: 'completed' })
  await needs.getByText('First try').waitFor({ state: 'detached' })
  await needs.getByRole('button', { name: 'Resolve RUN-002' }).click()
  await needs.getByText('Nothing needs attention').waitFor()
  await page.waitForFunction(() => document.title === 'Now · Conduct')
  assert.equal((await client.getRun({ runId: 'RUN-002' })).run.version, run.version)

  await page.goto(`${home}?again#/`)
  await needs.getByText('Put off and resolved').click()
  await needs.getByRole('button', { name: 'Reopen RUN-002' }).click()
  await needs.getByRole('button', { name: 'Resolve RUN-002' }).click()
  // The run fails again, and nobody has decided about the new failure.
  await client.updateRun({ runId: 'RUN-002', status: 'in_progress' })
  await client.updateRun({ runId: 'RUN-002', status: 'failed' })
  await needs.getByRole('button', { name: 'Resolve RUN-002' }).waitFor()
  await page.waitForFunction(() => document.title === '(1) Now · Conduct')
})

test('a long reason of a failure is folded, so that the last answer stays near', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const message = `${'at a.ts:1\n'.repeat(200)}the end of the stack`
  await client.createRun({ status: 'failed', failure: { code: 'CRASHED', message } })
  await page.goto(`${home}#/runs/default/RUN-001`)
  const failure = page.locator('.failure')
  await failure.getByRole('button', { name: 'Show all' }).waitFor()
  assert.equal(await failure.getByText('the end of the stack').count(), 0)
  await failure.getByRole('button', { name: 'Show all' }).click()
  await failure.getByText('the end of the stack').waitFor()
})

test('what was typed into the forms of a run outlives the session, but not the cancelling', async (t) => {
  const { page, client, logIn, home } = await openPage(t, '', { permissions: [] })
  await client.createRun({ runId: 'A', status: 'completed' })
  const login = async () => {
    const { key, secret } = await client.createKey({ name: 'ada', permissions: ['agent', 'read'] })
    await logIn(secret)
    await page.goto(`${home}?${key.id}#/runs/default/A`)
    return () => client.revokeKey({ id: key.id })
  }
  for (const [open, label] of [
    ['Add check', 'What was found'],
    ['Edit labels', 'One on each line'],
  ] as const) {
    const revoke = await login()
    const form = async () => {
      await page.getByRole('button', { name: open }).first().click()
      return page.getByRole('dialog').getByLabel(label)
    }
    await (await form()).fill('long: words')
    await revoke()
    await page.getByRole('button', { name: 'Log in' }).waitFor()
    await login()
    assert.equal(await (await form()).inputValue(), 'long: words')
    await page.getByText('You did not save this text').waitFor()
    await page.keyboard.press('Escape')
    assert.equal(await (await form()).inputValue(), 'long: words', 'Escape keeps the text')
    await page.getByRole('button', { name: 'Cancel' }).click()
    assert.equal(await (await form()).inputValue(), '')
    await page.keyboard.press('Escape')
  }
})
