import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openPage } from '../support/browser.ts'
import { hold } from '../support/held.ts'

/** Notes what the browser would show, and what it would remove. */
const notes = `
  globalThis.shown = []
  globalThis.gone = []
  globalThis.Notification = class {
    static permission = 'granted'
    static requestPermission = async () => 'granted'
    constructor(title, { body }) {
      this.body = body
      globalThis.shown.push(body)
    }
    close() {
      globalThis.gone.push(this.body)
    }
  }
`

test("with the user's permission, the browser notifies when an agent starts to wait", async (t) => {
  const { page, client, home, live } = await openPage(t, '', {
    before: `
      globalThis.shown = []
      globalThis.gone = []
      globalThis.asked = 0
      globalThis.waits = 0
      if (isSecureContext) {
        const news = new BroadcastChannel('conduct ' + new URL('.', location.href).href)
        news.onmessage = ({ data }) => (globalThis.waits += data.event?.type === 'run.waiting')
      }
      globalThis.Notification = class {
        static permission = 'default'
        static async requestPermission() {
          globalThis.asked++
          return (this.permission = 'granted')
        }
        constructor(title, { body, tag }) {
          this.tag = tag
          globalThis.shown.push([title, body, tag].join(' | '))
          globalThis.last = this
        }
        close() {
          globalThis.gone.push(this.tag)
        }
      }
      document.hasFocus = () => false`,
  })
  const shown = () => page.evaluate('shown')
  const wait = async (title: string) => {
    const author = 'Mateo <mateo@example.com>'
    const { run } = await client.createRun({ title, agent: 'codex', author, status: 'in_progress' })
    const activity = { state: 'waiting', tool: 'Bash', target: 'rm -rf dist' } as const
    await client.heartbeat({ runId: run.runId, activity })
    await page.locator('.lane.waiting', { hasText: new RegExp(`^${title}`) }).waitFor()
  }
  await live
  await wait('Unasked')
  await page.waitForFunction('waits === 1')
  assert.deepEqual([await shown(), await page.evaluate('asked')], [[], 0])
  await page.getByRole('button', { name: 'Notify me when an agent waits' }).click()
  await page.getByRole('button', { name: 'Stop notifying me' }).waitFor()
  await wait('Asked')
  await page.waitForFunction(() => (globalThis as { shown?: string[] }).shown?.length === 1)
  assert.deepEqual(await shown(), ["Mateo's codex waits for Bash in RUN-002 | Asked | conduct default/RUN-002"])
  await client.heartbeat({ runId: 'RUN-002', activity: { state: 'working' } })
  await page.waitForFunction(() => (globalThis as { gone?: string[] }).gone?.join() === 'conduct default/RUN-002')
  const failure = { code: 'TESTS', message: 'tests failed' }
  await client.updateRun({ runId: 'RUN-002', status: 'failed', failure })
  await page.waitForFunction(() => (globalThis as { shown?: string[] }).shown?.length === 2)
  assert.match(((await shown()) as string[])[1] ?? '', /^Mateo's codex failed in RUN-002: tests failed \| Asked \|/)
  await page.evaluate('last.onclick()')
  await page.getByRole('heading', { name: 'Asked' }).first().waitFor()
  assert.match(page.url(), /#\/runs\/default\/RUN-002$/)
  await page.goBack()
  const shownBefore = await shown()
  await page.getByRole('button', { name: 'Stop notifying me' }).click()
  await wait('Unwanted')
  assert.deepEqual(await shown(), shownBefore)
  assert.equal(page.url(), home)
})

test('a tab without the focus does not notify while another tab has it', async (t) => {
  const { page, client, openTab, live } = await openPage(t, '', {
    before: `${notes}
      document.hasFocus = () => !location.search.includes('away')
      globalThis.asked = 0
      if (isSecureContext) {
        const query = navigator.locks.query.bind(navigator.locks)
        navigator.locks.query = async () => {
          const answer = await query()
          globalThis.asked++
          return answer
        }
      }`,
  })
  const away = await openTab('?away#/')
  await page.getByRole('button', { name: 'Notify me when an agent waits' }).click()
  await away.getByRole('button', { name: 'Stop notifying me' }).waitFor()
  const wait = async (title: string) => {
    const { run } = await client.createRun({ title, status: 'in_progress' })
    await client.heartbeat({ runId: run.runId, activity: { state: 'waiting' } })
    await away.locator('.lane.waiting', { hasText: title }).waitFor()
  }
  await live
  await page.waitForFunction(() => {
    const known = globalThis as { isHeld?: boolean }
    navigator.locks.query().then(({ held = [] }) => {
      known.isHeld = held.some(({ name }) => name?.startsWith('focus on '))
    })
    return known.isHeld
  })
  await wait('In sight')
  // The tab has seen that the other one has the focus.
  await away.waitForFunction('asked === 1')
  await page.evaluate(() => {
    document.hasFocus = () => false
    dispatchEvent(new Event('blur'))
  })
  await wait('Unseen')
  await away.waitForFunction(() => (globalThis as { shown?: string[] }).shown?.includes('Unseen'))
  assert.deepEqual(await away.evaluate('shown'), ['Unseen'])
})

test('the browser does not notify of a wait that is over', async (t) => {
  const { page, client, live } = await openPage(t, '', { before: `${notes} document.hasFocus = () => false` })
  await page.getByRole('button', { name: 'Notify me when an agent waits' }).click()
  await page.getByRole('button', { name: 'Stop notifying me' }).waitFor()
  await live
  await client.createRun({ runId: 'SHORT', title: 'Short', status: 'in_progress' })
  await page.route('**/v1/runs/SHORT', async (route) => {
    await client.heartbeat({ runId: 'SHORT', activity: { state: 'working' } })
    await route.continue()
  })
  const read = page.waitForResponse('**/v1/runs/SHORT')
  await client.heartbeat({ runId: 'SHORT', activity: { state: 'waiting' } })
  await read
  await client.createRun({ runId: 'LONG', title: 'Long', status: 'in_progress' })
  await client.heartbeat({ runId: 'LONG', activity: { state: 'waiting' } })
  await page.waitForFunction(() => (globalThis as { shown?: string[] }).shown?.includes('Long'))
  assert.deepEqual(await page.evaluate('shown'), ['Long'])
})

test('the notification of a wait that the page learns of only after its end goes', async (t) => {
  const { page, client, live } = await openPage(t, '', { before: `${notes} document.hasFocus = () => false` })
  await page.getByRole('button', { name: 'Notify me when an agent waits' }).click()
  await page.getByRole('button', { name: 'Stop notifying me' }).waitFor()
  await live
  await client.createRun({ runId: 'BRIEF', title: 'Brief', status: 'in_progress' })
  const held = await hold(page, (request) => request.url().endsWith('/v1/runs/BRIEF'), 1)
  await client.heartbeat({ runId: 'BRIEF', activity: { state: 'waiting' } })
  await held.asked
  await client.heartbeat({ runId: 'BRIEF', activity: { state: 'working' } })
  await page.locator('.lane.working').waitFor()
  await held.release()
  await page.waitForFunction(() => (globalThis as { gone?: string[] }).gone?.includes('Brief'))
  assert.deepEqual(await page.evaluate('shown'), ['Brief'])
})

test('the browser does not notify of what it still reads when the person turns notifications off', async (t) => {
  const { page, client, live } = await openPage(t, '', { before: `${notes} document.hasFocus = () => false` })
  const stop = page.getByRole('button', { name: 'Stop notifying me' })
  await page.getByRole('button', { name: 'Notify me when an agent waits' }).click()
  await stop.waitFor()
  await live
  await page.route('**/v1/runs/LATE', async (route) => {
    await stop.click()
    await route.continue()
  })
  const read = page.waitForResponse('**/v1/runs/LATE')
  await client.createRun({ runId: 'LATE', title: 'Late', status: 'in_progress' })
  await client.heartbeat({ runId: 'LATE', activity: { state: 'waiting' } })
  await (await read).finished()
  await page.waitForTimeout(300)
  assert.deepEqual(await page.evaluate('shown'), [])
})

test('a dismissed question for notifications can be asked again; only a refusal is reported as blocked', async (t) => {
  const { page } = await openPage(t, '', {
    before: `
      globalThis.answers = ['default', 'denied']
      globalThis.Notification = class {
        static permission = 'default'
        static async requestPermission() {
          return (this.permission = globalThis.answers.shift())
        }
      }`,
  })
  const ask = page.getByRole('button', { name: 'Notify me when an agent waits' })
  await ask.click()
  await page.waitForFunction('answers.length === 1')
  assert.equal(await page.getByText('Your browser blocks notifications').count(), 0)
  await page.reload()
  await ask.click()
  assert.equal(await page.getByText('Your browser blocks notifications').count(), 0)
  await ask.click()
  await page.getByText('Your browser blocks notifications').waitFor()
})

test('a browser that may not show notifications, as on phones, does not offer them again', async (t) => {
  const { page, client, live } = await openPage(t, '', {
    before: `
      globalThis.Notification = class {
        static permission = 'granted'
        static requestPermission = async () => 'granted'
        constructor() {
          throw new TypeError('Illegal constructor. Use ServiceWorkerRegistration.showNotification() instead.')
        }
      }
      document.hasFocus = () => false`,
  })
  await page.getByRole('button', { name: 'Notify me when an agent waits' }).click()
  const on = page.getByRole('button', { name: 'Stop notifying me' })
  await on.waitFor()
  await live
  const { run } = await client.createRun({ title: 'Asks', status: 'in_progress' })
  await client.heartbeat({ runId: run.runId, activity: { state: 'waiting' } })
  await page.locator('.lane.waiting').waitFor()
  await on.waitFor({ state: 'detached' })
  await page.reload()
  await page.locator('.lane.waiting').waitFor()
  assert.equal(await page.getByRole('button', { name: /notify/i }).count(), 0)
})
