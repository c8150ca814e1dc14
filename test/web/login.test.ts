import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { blank, openBrowser, openPage } from '../support/browser.ts'
import { hold } from '../support/held.ts'
import { adminKey } from '../support/server.ts'

test('a key logs in every tab, and out again, and no script can read the session', async (t) => {
  const { page, client, context, openTab } = await openPage(t, '#/runs', { permissions: [] })
  await client.createRun({ title: 'Hidden' })
  const other = await openTab()
  await page.getByLabel('Key').fill('sk_admin_wrong')
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('alert').getByText('key').first().waitFor()
  await page.getByLabel('Key').fill(adminKey)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('link', { name: 'Hidden' }).waitFor()
  await other.getByRole('heading', { name: 'Now' }).waitFor()
  const [cookie] = await context.cookies()
  assert.ok(cookie?.httpOnly && cookie.sameSite === 'Strict')
  assert.equal(await page.evaluate(() => document.cookie), '')
  const stored = () => page.evaluate(() => JSON.stringify({ ...localStorage }))
  assert.match(await stored(), /"conduct\.session http[^"]*":"page_\w{43}"/)
  assert.ok(!(await stored()).includes(cookie.value))

  await page.getByRole('button', { name: 'Log out' }).click()
  for (const tab of [page, other]) await tab.getByRole('heading', { name: 'Log in to Conduct' }).waitFor()
  assert.deepEqual(await context.cookies(), [])
  assert.doesNotMatch(await stored(), /page_/)
  assert.equal(await page.getByText('You were logged out').count(), 0, 'the user ended it')
  await page.reload()
  await page.getByRole('heading', { name: 'Log in to Conduct' }).waitFor()
  assert.equal(await page.getByText('You were logged out').count(), 0, 'it had not begun')
})

test('after the logout, the tab no longer counts what its user may not see', async (t) => {
  const { page, client } = await openPage(t)
  await client.createRun({ status: 'failed' })
  const icon = (href: string) => page.locator(`link[rel=icon][href^="${href}"]`).waitFor({ state: 'attached' })
  await icon('data:image/png')
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByRole('heading', { name: 'Log in to Conduct' }).waitFor()
  await icon('./favicon.svg')
})

test('a login link works once, and its code does not stay in the address', async (t) => {
  const { page, client, home, context } = await openPage(t, '', { permissions: [] })
  const { code } = await client.createLoginCode()
  await page.goto(`${home}#code=${code}`)
  await page.getByRole('heading', { name: 'Now' }).waitFor()
  assert.equal(page.url(), `${home}#/`)
  await context.clearCookies()
  await page.goto(`${home}?again#code=${code}`)
  await page.getByRole('alert').waitFor()
  await page.getByRole('heading', { name: 'Log in to Conduct' }).waitFor()
})

test('a login link whose code this browser has used up shows the page, since it is logged in', async (t) => {
  const { page, client, home, openTab } = await openPage(t, '', { permissions: [] })
  const { code } = await client.createLoginCode()
  await page.goto(`${home}?first#code=${code}`)
  await page.getByRole('heading', { name: 'Now' }).waitFor()
  const other = await openTab(`#code=${code}`)
  await other.getByRole('heading', { name: 'Now' }).waitFor()
  assert.equal(other.url(), `${home}#/`)
})

test('an answer from before the login does not end the session', async (t) => {
  const { page, client, home, context, openTab } = await openPage(t, '', { permissions: [] })
  await page.getByRole('heading', { name: 'Log in to Conduct' }).waitFor()
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const who = '**/v1/auth/me'
  await page.route(
    who,
    async (route) => {
      const response = await route.fetch()
      await held
      await route.fulfill({ response })
    },
    { times: 1 },
  )
  const loggedIn = page.waitForResponse((response) => response.url().endsWith('/auth/me') && response.ok())
  const { code } = await client.createLoginCode()
  await page.goto(`${home}?again#code=${code}`)
  await loggedIn
  release()
  await page.getByRole('heading', { name: 'Now' }).waitFor()
  const other = await openTab()
  await other.getByRole('heading', { name: 'Now' }).waitFor()
  // The session that really ends still ends on all pages.
  await context.clearCookies()
  await page.reload()
  for (const tab of [page, other]) await tab.getByRole('heading', { name: 'Log in to Conduct' }).waitFor()
})

test('after too many failed logins the page still shows the login, and says at once when to try again', async (t) => {
  const { page, context, home, openTab } = await openPage(t, '', { permissions: [] })
  const guess = () => fetch(`${home}v1/auth/me`, { headers: { authorization: 'Bearer guessed' } })
  for (let attempt = 0; attempt < 60; attempt++) await guess()
  assert.equal((await guess()).status, 429)
  const advice = /Too many failed authentications from this address: try again in \d+ s/
  await page.getByLabel('Key').fill('sk_admin_wrong')
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByText(advice).waitFor()
  const { hostname: domain, port } = new URL(home)
  await context.addCookies([{ name: `conduct_session_${port}`, value: 'ended', domain, path: '/conduct' }])
  await page.evaluate(() => localStorage.setItem(`conduct.session ${new URL('.', location.href)}`, 'ended'))
  const other = await openTab()
  await other.getByText(advice).waitFor()
  await other.getByLabel('Key').fill(adminKey)
  await other.getByRole('button', { name: 'Log in' }).click()
  await other.getByRole('heading', { name: 'Now' }).waitFor()
})

test('the page shows the login when its key is revoked', async (t) => {
  const { page, client } = await openPage(t)
  await page.getByText('Nothing is in progress').waitFor()
  const { keys } = await client.listKeys({})
  await client.revokeKey({ id: keys.find(({ name }) => name === 'ada')?.id ?? 0 })
  await client.createRun({ title: 'Secret' })
  await page.getByRole('heading', { name: 'Log in to Conduct' }).waitFor()
  await page.getByText('You were logged out: the session or its key has expired').waitFor()
})

test('a change after the key was revoked leads to the login at once, and what was typed stays', async (t) => {
  const { page, client, logIn, home } = await openPage(t, blank)
  await client.createSpec({ specId: 'A-1', content: '# Log in' })
  const { key, secret } = await client.createKey({ name: 'bob', permissions: ['write'] })
  await logIn(secret)
  await page.goto(`${home}#/specs/default/A-1?view=edit`)
  const text = page.getByLabel(/^Text, as Markdown/)
  await text.fill('# My words')
  // No read tells it. The stream of events would do so 15 seconds after it began.
  const held = await hold(page, (request) => request.method() === 'GET')
  await client.revokeKey({ id: key.id })
  await page.getByRole('button', { name: 'Save spec' }).click()
  await page.getByRole('button', { name: 'Log in' }).waitFor({ timeout: 10_000 })
  await held.release()
  await page.getByText('You were logged out').waitFor()
  await page.getByLabel('Key').fill((await client.createKey({ name: 'new', permissions: ['write'] })).secret)
  await page.getByRole('button', { name: 'Log in' }).click()
  await text.waitFor()
  assert.equal(await text.inputValue(), '# My words')
})

test('the page and its session work below any prefix', async (t) => {
  const { page, client, home } = await openPage(t, '#/runs', { basePath: '/tools/ledger' })
  assert.match(home, /\/tools\/ledger\/$/)
  await client.createRun({ title: 'Deep below' })
  await page.getByRole('link', { name: 'Deep below' }).click()
  await page.getByRole('heading', { name: 'Deep below' }).waitFor()
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByRole('heading', { name: 'Log in to Conduct' }).waitFor()
})

test('what listens on another port of the host gets the cookie, and can neither read, write nor log out with it', async (t) => {
  const { page, client, context, home } = await openPage(t, '#/runs')
  await client.createRun({ title: 'Private' })
  await page.getByRole('link', { name: 'Private' }).waitFor()
  const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<!doctype html>'))
  server.listen(0, '127.0.0.1')
  t.after(() => server.close().closeAllConnections())
  await once(server, 'listening')
  const { hostname } = new URL(home)
  const elsewhere = `http://${hostname}:${(server.address() as AddressInfo).port}`
  const visited = once(server, 'request') as Promise<[IncomingMessage]>
  // A browser of its own, as pages of the first may contact no other host.
  const thief = await (await openBrowser()).newContext({ storageState: await context.storageState() })
  t.after(() => thief.close())
  const trap = await thief.newPage()
  await trap.goto(`${elsewhere}/conduct/`)
  const cookie = (await visited)[0].headers.cookie ?? ''
  assert.match(cookie, /conduct_session_\d+=session_/, 'the browser sends it there')
  assert.deepEqual(await trap.evaluate(() => ({ ...localStorage })), {})
  // The server there can claim to be the page.
  const claimed = {
    cookie,
    'sec-fetch-site': 'same-origin',
    origin: home.slice(0, -1),
    'content-type': 'application/json',
  }
  const ask = (method: string, path: string, body?: string) =>
    fetch(`${home}v1/${path}`, { method, headers: claimed, ...(body && { body }) })
  assert.equal((await ask('GET', 'runs')).status, 401)
  assert.equal((await ask('POST', 'auth/keys', '{"name":"mine","permissions":["admin"]}')).status, 401)
  await ask('DELETE', 'auth/session')
  // Nor can its page in the browser, to which the cookie belongs.
  const status = await trap.evaluate(
    (url) => fetch(url, { credentials: 'include', mode: 'no-cors' }).then(({ status }) => status),
    `${home}v1/runs`,
  )
  assert.equal(status, 0, 'an answer that the page cannot read')
  assert.deepEqual((await client.listKeys()).keys.map(({ name }) => name).sort(), ['ada', 'first admin'])
  await page.reload()
  await page.getByRole('link', { name: 'Private' }).waitFor()
})

test('a session of an earlier version, which has no token, logs in again', async (t) => {
  const { page, logIn, client, context } = await openPage(t, '', { permissions: [] })
  await logIn((await client.createKey({ name: 'ada', permissions: ['admin'] })).secret)
  await page.evaluate(() => localStorage.clear())
  assert.equal((await context.cookies()).length, 1)
  await page.reload()
  await page.getByLabel('Key').fill(adminKey)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('heading', { name: 'Now' }).waitFor()
})

test('a page whose server accepts requests without answering says so, and can try again', async (t) => {
  const { page, home } = await openPage(t, blank)
  await page.route('**/v1/auth/me', () => {})
  await page.goto(`${home}#/`)
  const again = page.getByRole('button', { name: 'Try again' })
  await again.waitFor({ timeout: 20_000 })
  await page.getByText('No response from').waitFor()
  await page.unroute('**/v1/auth/me')
  await again.click()
  await page.getByRole('heading', { name: 'Now' }).waitFor()
})
