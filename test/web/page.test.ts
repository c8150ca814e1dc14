import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { pageAt, pages } from '../../src/web/pages.ts'
import { violations } from '../support/axe.ts'
import { blank, openPage, type Shown } from '../support/browser.ts'
import { builtPage } from '../support/unpacked.ts'

/** Whose key the browser has, so that the pages offer all that they have. */
const person = 'Ada Example <ada@example.com>'

/** Pages with content, and a selector that shows that this page has replaced the previous one. */
const furnished: [address: string, sign: string][] = [
  ['#/', '.lane'],
  ['#/runs', 'table.runs .title'],
  ['#/runs?status=failed&agent=ci', 'table.runs[aria-rowcount="2"] .title'],
  ['#/runs?agent=nobody', '.empty'],
  ['#/runs?q=limit', '.results .title'],
  ['#/compare?run=default/RUN-001&run=default/RUN-002', '.compare .different'],
  ['#/runs/default/RUN-001', '.prose table'],
  ['#/runs/default/RUN-001?view=raw', '.log .screen'],
  ['#/runs/default/RUN-TERM?line=2', '.log .marked'],
  ['#/runs/default/RUN-TURNS?turn=1', '.turn-body .part'],
  ['#/runs/default/RUN-TURNS?view=changes&file=a.ts&line=R2', '.diff-row.marked'],
  ['#/runs/default/RUN-001?view=timeline', '.timeline li'],
  ['#/runs/default/RUN-404', '.empty'],
  ['#/files/default/src/a.ts', '.brief'],
  ['#/files/default/src/', '.brief'],
  ['#/files/default/src/../a.ts', '.problem'],
  ['#/trends?days=7', '.whole .series'],
  ['#/trends?by=model', '.whole[aria-label="Runs by model"] .series tbody td'],
  ['#/specs', '.card .badge'],
  ['#/specs?view=list', '.spec-list .badge'],
  ['#/specs?q=nothing', '.empty'],
  ['#/specs/default/AUTH-001', '.still-to-do li'],
  ['#/specs/default/AUTH-001?view=runs', '.brief'],
  ['#/specs/default/AUTH-001?view=edit', '.editor .prose'],
  ['#/specs/default/NAMED', '.brief'],
  ['#/specs?view=new', '.editor'],
  ['#/specs/default/AUTH-001?view=versions', '.difference ins'],
  ['#/specs/default/AUTH-001?version=1', '.prose'],
  ['#/features', '.features .title'],
  ['#/features/default/1', '.brief'],
  ['#/activity', '.feed li'],
  ['#/activity?view=events', '.activity li'],
  ['#/activity?subject=nothing', '.empty'],
  ['#/keys', '.keyed .badge'],
  ['#/webhooks', '.keyed .title:has-text("hooks.example")'],
  ['#/projects', '.keyed .title:has-text("Shop")'],
  ['#/projects/default', '.deeds .title'],
  ['#/nowhere', '.empty'],
]

/** These, and each other page of the menu. */
const visited = [
  ...furnished,
  ...pages
    .filter(({ path, menu }) => menu && !furnished.some(([address]) => address === `#/${path}`))
    .map(({ path }): [string, string] => [`#/${path}`, 'main h1']),
]

test('the pages of this file are all that the dashboard has', () => {
  const partsOf = (address: string) => /^#\/([^?]*)/.exec(address)?.[1]?.split('/').filter(Boolean) ?? []
  const opened = visited.map(([address]) => pageAt({ path: partsOf(address), query: new URLSearchParams() })?.page)
  assert.deepEqual(
    pages.filter((page) => !opened.includes(page)).map(({ path }) => path),
    [],
  )
})

/** A line in every colour of a terminal. */
const colourful = [1, 2, 4, 30, 31, 32, 33, 34, 35, 36, 37, 90, 91, 95, 41, 42, 43, 44, '38;5;208', '38;2;250;250;0']
  .map((code) => `\x1b[${code}mtold in ${code}\x1b[0m`)
  .join(' ')

async function fill({ client, page }: Shown) {
  const long = 'averylongwordwithoutanyplacetobreak'.repeat(6)
  const before = '-const old = 1\n-return 24 // hours\n-let day = true\n'
  const after = "+const now = 'x'\n+return 25 // days\n+const day = true\n"
  const patch = `@@ -1,4 +1,5 @@ ${long}\n // a ${long}\n${before}${after}+${long}\n`
  const files = ['a.ts', `src/${long}.ts`].map((path) => ({ path, turn: 1, status: 'modified', insertions: 2, patch }))
  await page.route('**/v1/runs/RUN-TURNS/diff?*', (route) => route.fulfill({ json: { files, meta: { total: 2 } } }))
  await client.createRun({
    runId: 'RUN-TURNS',
    title: 'A session',
    status: 'in_progress',
  })
  await client.appendTurn({
    runId: 'RUN-TURNS',
    prompt: `Add a limit to ${long}`,
    answer: `It **has** ${long}`,
    plan: [{ text: long, status: 'in_progress' }],
    files: [
      { path: `src/${long}`, insertions: 1, deletions: 2 },
      { path: 'src/a.ts', insertions: 100 },
    ],
    git: { repository: 'git@github.com:acme/shop.git', branch: 'main', commits: ['4'.repeat(40)] },
    commands: [{ command: `npm test ${long}`, exitCode: 1, durationMs: 1200 }],
    tools: [{ name: 'Edit', count: 2, refused: 1 }],
    agents: [{ name: long.slice(0, 190), turns: 1 }],
    interrupted: true,
    failure: { code: 'API_ERROR', message: long },
  })
  await client.heartbeat({ runId: 'RUN-TURNS', activity: { state: 'waiting', tool: 'Bash', target: long } })
  await client.createRun({
    runId: 'RUN-TERM',
    title: 'Output',
    content: `one\n${colourful}\n`.repeat(3),
    contentType: 'text/x-terminal',
    status: 'completed',
  })
  await client.createRun({
    title: `Add a limit to ${long}`,
    status: 'completed',
    agent: long.slice(0, 190),
    author: long.slice(0, 190),
    specId: 'AUTH-001',
    content: `# Limit\n\n${long} and \`${long}\`\n\n1. one\n2. two\n\n- [x] done\n\n> quoted\n\n\`\`\`\n${long}\n\`\`\`\n
| a | b |\n|---|---|\n| ${long} | [link](https://example.com/${long}) |\n\n![image](https://example.com/a.png)\n`,
    labels: { team: 'web', long: long.slice(0, 200) },
    where: { host: 'h', cwd: `/home/${long}`, session: 's' },
    git: {
      branch: long.slice(0, 200),
      base: '4f2a91c',
      commit: '4f2a91c0de',
      repository: `https://github.com/a/${long}`,
    },
    changes: { files: 1200, insertions: 1_234_567, deletions: 89 },
    links: [{ rel: 'pull request', href: `https://example.com/${long}` }],
    usage: { model: 'm', inputTokens: 1_000_000_000, outputTokens: 2, costUsd: 3.5 },
  })
  await client.linkFeatures({ runId: 'RUN-001', features: [{ name: long.slice(0, 200) }] })
  await client.createCheck({ runId: 'RUN-001', name: long.slice(0, 200), result: 'warn', command: long, exitCode: 1 })
  await client.createRun({
    title: 'Failed limit',
    status: 'failed',
    agent: 'ci',
    failure: { code: 'X', message: long },
  })
  await client.createRun({ retryOf: 'RUN-002', title: 'Held', agent: 'ci', leaseSeconds: 3600 })
  await client.createRun({ title: 'Waiting', specId: 'NAMED' })
  const content = `# ${long}\n\n- [ ] ${long}\n- [x] done\n`
  await client.createSpec({ specId: 'AUTH-001', content, status: 'in_progress', agent: long.slice(0, 190) })
  await client.updateSpec({ specId: 'AUTH-001', content: `${content}\n- [ ] ${long} again` })
  await client.createSpec({ specId: 'B'.repeat(128), title: 'An id without a break' })
  await client.createFeature({ name: 'plain', file: `src/${long}.ts`, description: long })
  await client.createProject({ slug: 'shop', name: 'Shop', repository: `https://example.com/${long}` })
  const expiresAt = new Date(Date.now() + 86_400_000).toISOString()
  const { webhook } = await client.createWebhook({
    url: `https://hooks.example/${long.replaceAll(' ', '-').slice(0, 190)}`,
  })
  await client.updateWebhook({ id: webhook.id, enabled: false })
  await client.createKey({ name: long.slice(0, 190), permissions: ['agent'], project: 'shop', expiresAt })
}

test('every control of the frame has a name on a phone', async (t) => {
  const { page, home } = await openPage(t, blank, {
    viewport: { width: 390, height: 844 },
    reducedMotion: 'reduce',
    person,
  })
  await page.goto(`${home}#/runs`)
  await page.getByText('No runs yet.').waitFor()
  assert.deepEqual(await violations(page, 'all'), [])
  await page.getByRole('button', { name: 'Go to', exact: true }).waitFor()
  await page.getByRole('link', { name: 'Conduct', exact: true }).waitFor()
})

test('axe reports nothing on the views of a run on a phone', async (t) => {
  const shown = await openPage(t, blank, { viewport: { width: 390, height: 844 }, reducedMotion: 'reduce' })
  const { page, home } = shown
  await fill(shown)
  for (const [address, sign] of furnished.filter(([address]) => /RUN-(TURNS|TERM)/.test(address))) {
    await page.goto(home + address)
    await page.locator(sign).first().waitFor()
    assert.deepEqual(await violations(page, 'all'), [], address)
  }
})

/** Ids that several elements have, of which a label names the first: axe no longer reports them. */
const repeatedIds = (page: Page) =>
  page.evaluate(() => {
    const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id)
    return ids.filter((id, at) => ids.indexOf(id) < at)
  })

for (const [colorScheme, width] of [
  ['light', 1280],
  ['dark', 1280],
  ['light', 768],
] as const) {
  test(`axe reports nothing on any page (${colorScheme}, ${width} px wide)`, async (t) => {
    const viewport = { width, height: 800 }
    const shown = await openPage(t, blank, { colorScheme, viewport, reducedMotion: 'reduce', person })
    const { page, home } = shown
    const only = colorScheme === 'light' ? 'all' : 'colours'
    await fill(shown)
    const found: string[] = []
    for (const [address, sign] of visited) {
      await page.goto(home + address)
      await page.locator(sign).first().waitFor()
      found.push(...(await violations(page, only)).map((one) => `${address} ${one}`))
      found.push(...(await repeatedIds(page)).map((id) => `${address} has the id ${id} twice`))
    }
    assert.deepEqual(found, [])
    await page.keyboard.press('?')
    await page.getByRole('dialog').waitFor()
    assert.deepEqual(await violations(page, only), [], 'the dialog')
    await page.keyboard.press('Escape')
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox').fill('limit')
    await page
      .getByRole('option', { name: /^Add a limit/ })
      .first()
      .waitFor()
    assert.deepEqual(await violations(page, only), [], 'the palette')
    await page.keyboard.press('Escape')
    await page.goto(`${home}#/runs`)
    await page.getByText('Filter', { exact: true }).click()
    await page.getByRole('button', { name: 'Agent', exact: true }).click()
    await page.getByRole('button', { name: 'ci', exact: true }).waitFor()
    assert.deepEqual(await violations(page, only), [], 'a menu')
    await page.goto(`${home}#/specs`)
    await page.locator('.card summary').first().click()
    assert.deepEqual(await violations(page, only), [], 'the menu of a card')
    for (const [place, name] of [
      ['keys', 'New key'],
      ['keys', 'Revoke ada'],
      ['keys', 'Person of first admin'],
      ['projects', 'New project'],
    ]) {
      await page.goto(`${home}#/${place}`)
      await page.getByRole('button', { name }).click()
      await page.getByRole('dialog').waitFor()
      assert.deepEqual(await violations(page, only), [], name)
      await page.keyboard.press('Escape')
    }
    await page.goto(`${home}#/runs/default/RUN-001`)
    for (const name of ['Add check', 'Edit labels', 'Delete run']) {
      if (name === 'Delete run') await page.locator('.actions summary', { hasText: 'More actions' }).click()
      await page.getByRole('button', { name }).click()
      await page.getByRole('dialog').waitFor()
      assert.deepEqual(await violations(page, only), [], name)
      await page.keyboard.press('Escape')
    }
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByRole('heading', { name: 'Log in to Conduct' }).waitFor()
    await page.getByLabel('Key').fill('sk_admin_none')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('alert').waitFor()
    assert.deepEqual(await violations(page, only), [], 'the login')
  })
}

/** Makes all letters wider by 30%, as those of other fonts are, and larger, as a browser with a least size makes them. */
const wideLetters = `{
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(\`
    @font-face { font-family: Wide; src: local("Open Sans Regular"); size-adjust: 130% }
    @font-face { font-family: Wide; src: local("Open Sans Bold"); size-adjust: 130%; font-weight: 600 700 }
    :root { --sans: Wide; --mono: Wide }
  \`)
  document.adoptedStyleSheets = [sheet]
}`

/** Whether the page fits into the width of the window, once it has noticed that this changed. */
const fits = (page: Page) =>
  page
    .waitForFunction(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth)
    .then(
      () => true,
      () => false,
    )

/** Badges that are cut, or that run over what is beside them. */
const badBadges = (page: Page) =>
  page.evaluate(() =>
    [...document.querySelectorAll('main .badge')].flatMap((badge) => {
      const { right, bottom, top } = badge.getBoundingClientRect()
      const cell = badge.closest('td')?.getBoundingClientRect().right ?? right
      // Of a text that goes on below, its first line.
      const next = badge.nextElementSibling?.getClientRects()[0]
      const middle = next && (next.top + next.bottom) / 2
      const isBeside = middle && next.width > 0 && middle < bottom && middle > top
      return right > cell || (isBeside && next.left < right) ? [badge.textContent] : []
    }),
  )

for (const [letters, before] of [
  ['usual', ''],
  ['wide', wideLetters],
] as const) {
  test(`no page scrolls sideways, and no badge is cut, with ${letters} letters`, async (t) => {
    const shown = await openPage(t, blank, { viewport: { width: 360, height: 740 }, person, before })
    const { page, home } = shown
    await fill(shown)
    const wrong: string[] = []
    for (const [address, sign] of visited) {
      await page.goto(home + address)
      await page.locator(sign).first().waitFor()
      for (const width of [360, 1024, 1440]) {
        await page.setViewportSize({ width, height: 740 })
        if (!(await fits(page))) wrong.push(`${address} is wider than ${width}`)
        wrong.push(...(await badBadges(page)).map((badge) => `${address} cuts ${badge} at ${width}`))
      }
    }
    const fonts = await page.evaluate(() => [...document.fonts].map(({ status }) => status))
    assert.ok(fonts.every((status) => status === 'loaded') && fonts.length > 0 === (letters === 'wide'), fonts.join())
    await page.context().clearCookies()
    await page.reload()
    await page.getByRole('heading', { name: 'Log in to Conduct' }).waitFor()
    await page.setViewportSize({ width: 360, height: 740 })
    if (!(await fits(page))) wrong.push('the login')
    assert.deepEqual(wrong, [])
  })
}

test('the theme follows the system until the user chooses one, and the choice is stored', async (t) => {
  const { page } = await openPage(t, '', { colorScheme: 'dark' })
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
  await page.getByRole('button', { name: 'Light colours' }).waitFor()
  const dark = await paper()
  await page.emulateMedia({ colorScheme: 'light' })
  const light = await paper()
  assert.notEqual(dark, light)
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.getByRole('button', { name: 'Light colours' }).click()
  assert.equal(await paper(), light)
  await page.reload()
  await page.getByRole('button', { name: 'Dark colours' }).waitFor()
  assert.equal(await paper(), light)
})

test('the button of the theme says what it does, whoever changed the theme', async (t) => {
  const { page, openTab } = await openPage(t, '#/', { colorScheme: 'light' })
  const other = await openTab('#/')
  const isDark = (tab: Page) => tab.locator('html[data-theme=dark]').waitFor()
  const [dark, light] = [{ name: 'Dark colours' }, { name: 'Light colours' }] as const
  await other.getByRole('button', dark).waitFor()
  await page.getByRole('button', dark).click()
  for (const tab of [page, other]) await isDark(tab)
  await other.getByRole('button', light).click()
  for (const tab of [page, other]) await tab.getByRole('button', dark).waitFor()
  assert.equal(await page.locator('html[data-theme]').count(), 0)
  await page.keyboard.press('Control+k')
  await page.keyboard.type('light and dark')
  await page.keyboard.press('Enter')
  for (const tab of [page, other]) await tab.getByRole('button', light).waitFor()
  await other.getByRole('button', light).click()
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.getByRole('button', light).waitFor()
})

let folder = ''
before(async () => {
  folder = await builtPage()
})

test('the first page loads at most 120 KB of JavaScript, gzipped', async (t) => {
  const { page, home } = await openPage(t)
  await page.getByText('Nothing is in progress.').waitFor()
  const loaded = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name))
  const scripts = loaded
    .filter((url) => url.startsWith(home) && url.endsWith('.js'))
    .map((url) => url.slice(home.length))
  assert.ok(scripts.length > 1)
  const bytes = scripts.reduce((sum, path) => sum + gzipSync(readFileSync(join(folder, path))).length, 0)
  assert.ok(bytes <= 120 * 1024, `${bytes} bytes`)
})

test('the page has no inline script and no inline style, and every address in it is relative', () => {
  const html = readFileSync(join(folder, 'index.html'), 'utf8')
  assert.doesNotMatch(html, /<style|style=|<script(?![^>]*src=)|\son\w+=/)
  for (const [, address = ''] of html.matchAll(/(?:src|href)="([^"]+)"/g)) assert.match(address, /^(\.\/|docs$)/)
})

test('the build contains every file that the page names', () => {
  const html = readFileSync(join(folder, 'index.html'), 'utf8')
  const named = [...html.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, path = '']) => path)
  assert.ok(named.some((path) => path.endsWith('.css')))
  for (const path of named) assert.ok(existsSync(join(folder, path)), path)
})
