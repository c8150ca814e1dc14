import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Locator, Page } from 'playwright-core'
import type { Input } from '../../src/client/client.ts'
import { size } from '../proof/size.ts'
import { blank, openPage, type Shown } from '../support/browser.ts'

const acts = ['hit()', 'hit`1`', 'top.hit()', "eval('hit()')", 'setTimeout(hit)']
/** Attempts to make a page run a script, load something or go elsewhere. `ACT` stands for the code to run. */
const tries = [
  '<script>ACT</script>',
  '<img src=x onerror="ACT">',
  '<svg onload="ACT">',
  '<svg><script>ACT</script></svg>',
  '<iframe srcdoc="<script>parent.ACT</script>">',
  '<iframe src="javascript:ACT">',
  '<a href="javascript:ACT" autofocus onfocus="ACT">go</a>',
  '<details open ontoggle="ACT">',
  '<body onload="ACT">',
  '<input autofocus onfocus="ACT">',
  '<video><source onerror="ACT"></video>',
  '<math><mtext></form><form><mglyph><style></math><img src onerror="ACT">',
  '<style>@keyframes x{}*{animation:x}</style><b onanimationstart="ACT">',
  '<object data="javascript:ACT">',
  '<embed src="javascript:ACT">',
  '<form action="javascript:ACT"><button>send</button></form>',
  '<base href="https://evil.example/">',
  '<meta http-equiv="refresh" content="0;url=https://evil.example/">',
  '<link rel="stylesheet" href="https://evil.example/a.css">',
  '<img src="https://evil.example/a.png">',
  '[go](javascript:ACT)',
  '[go](JaVaScRiPt:ACT)',
  '[go](&#106;avascript:ACT)',
  '[go](java\tscript:ACT)',
  '[go](data:text/html,<script>ACT</script>)',
  '[go](vbscript:ACT)',
  '![x](https://evil.example/b.png)',
  '![x](javascript:ACT)',
  '![x"onerror="ACT](https://evil.example/c.png)',
  '<javascript:ACT>',
  '[a]: javascript:ACT\n\n[go][a]',
  '`<img src=x onerror="ACT">`',
  '```html\n<script>ACT</script>\n```',
  '| a |\n|---|\n| <img src=x onerror="ACT"> |',
  '# <img src=x onerror="ACT">',
  '- [x] <script>ACT</script>',
  '**<svg/onload=ACT>**',
  '"><script>ACT</script>',
  "'-ACT-'",
  '<%= ACT %>',
  '{{ACT}}',
  'javascript:ACT',
  'data:text/html,<script>ACT</script>',
  '</script><script>ACT</script>',
  '<!--><img src=x onerror="ACT">-->',
  '<![CDATA[<img src=x onerror="ACT">]]>',
  '<noscript><p title="</noscript><img src=x onerror=ACT>">',
  '<template><img src=x onerror="ACT"></template>',
  '<div id="app"></div><a id="conduct" name="client">',
  '<x contenteditable onblur="ACT" tabindex=1>',
]

const payload = (n: number) =>
  (tries[n % tries.length] as string).replaceAll('ACT', acts[Math.floor(n / tries.length) % acts.length] as string)

/** Writes a run with the payload in every field that an agent can set and the page shows. */
async function write({ client }: Shown, n: number): Promise<string> {
  const text = payload(n)
  const line = text.replaceAll('\n', ' ')
  const { run } = await client.createRun({
    title: line,
    content: `${text}\n\nthe end of ${n}`,
    agent: line,
    status: n % 3 === 0 ? 'in_progress' : 'failed',
    labels: { note: line },
    where: { host: line, cwd: line, session: line },
    git: { repository: line, branch: line, base: line, commit: line.slice(0, 64) },
    links: [
      { rel: line.slice(0, 64), href: text },
      { rel: 'go', href: `javascript:${acts[n % acts.length]}` },
    ],
    usage: { model: line.slice(0, 100), inputTokens: 1 },
    ...(n % 3 > 0 && { failure: { code: 'X', message: text } }),
  })
  await client.linkFeatures({ runId: run.runId, features: [{ name: `${n} ${line}` }] })
  await client.createCheck({ runId: run.runId, name: line, result: 'fail', command: text, agent: line, content: text })
  await client.createSpec({
    specId: `S-${n}`,
    title: line,
    agent: line,
    content: `${text}\n\n- [ ] ${line}\n\nthe spec of ${n}`,
  })
  await client.updateSpec({ specId: `S-${n}`, content: `${text}\n\n- [ ] ${line}\n\nthe new spec of ${n}` })
  await client.createFeature({ name: `${n} ${line}`, description: `${text}\n\nthe feature of ${n}`, file: line })
  return run.runId
}

/** Elements on the page that no text from an agent may create. */
const straysOn = (page: Page) =>
  page.evaluate(() => ({
    links: [...document.querySelectorAll('a')]
      .filter((link) => !/^(https?|mailto):$/.test(link.protocol))
      .map((link) => link.outerHTML),
    open: [...document.querySelectorAll('a')]
      .filter((link) => link.origin !== location.origin && link.rel !== 'noopener noreferrer')
      .map((link) => link.outerHTML),
    elements: document.querySelectorAll('main :is(script, style, iframe, object, embed, form, img, video, base, meta)')
      .length,
    handlers: [...document.querySelectorAll('main *')].filter((one) =>
      one.getAttributeNames().some((name) => name.startsWith('on')),
    ).length,
  }))

/** A turn with the payload in its texts. */
function turnOf(n: number): Omit<Input<'appendTurn'>, 'runId'> {
  const text = payload(n)
  const line = text.replaceAll('\n', ' ')
  return {
    prompt: `${text}\nmore`,
    answer: `${text}\n\nShall I go on with ${line}?`,
    files: [{ path: line, insertions: 1 }],
    commands: [{ command: line, exitCode: 1 }],
    plan: [{ text: line, status: 'pending' }],
    failure: { code: 'X', message: text },
  }
}

/** Diffs of files whose names and lines are the payload. */
function diffsOf(n: number) {
  const line = payload(n).replaceAll('\n', ' ')
  const patch = `@@ -1,2 +1,2 @@ ${line}\n-const a = "${line}"\n+const b = \`${line}\`\n // ${line}\n`
  return ['ts', 'html', 'md', 'css'].map((end) => ({
    path: `${n} ${line.replaceAll('/', '')}.${end}`,
    turn: 1,
    status: 'renamed',
    from: line,
    patch,
  }))
}

type OtherPage = [address: (n: number, runId: string) => string, sign: (page: Page, n: number) => Locator]

/**
 * Other pages that show the texts of a payload. They use the same components as the page of a run, so `npm test` shows
 * each payload there, and every third on one of these. The proof shows it on all.
 */
const otherPages: OtherPage[] = [
  [(n) => `#/specs/default/S-${n}`, (page, n) => page.getByText(`the new spec of ${n}`, { exact: true })],
  [(n) => `#/specs/default/S-${n}?view=versions`, (page) => page.locator('.difference')],
  [(n) => `#/features/default/${n + 1}`, (page, n) => page.getByText(`the feature of ${n}`, { exact: true })],
  [(_, runId) => `#/runs/default/${runId}?view=timeline`, (page) => page.locator('.timeline li')],
]

/** Scrolls each diff into view until its lines are drawn, and returns how many there are. */
const drawnBy = (page: Page) =>
  page.evaluate(async () => {
    const diffs = document.querySelectorAll('.file-diff')
    for (const diff of diffs) {
      diff.scrollIntoView()
      while (!diff.querySelector('.diff-row')) await new Promise(requestAnimationFrame)
    }
    return diffs.length
  })

const none = { links: [], open: [], elements: 0, handlers: 0 }

test('no text from an agent can run, load or redirect anything, in any field', async (t) => {
  const shown = await openPage(t, blank)
  const { page, home } = shown
  let hits = 0
  await page.exposeFunction('hit', () => hits++)
  const count = size(tries.length, 200)
  const isFull = count > tries.length
  const runIds: string[] = []
  for (let n = 0; n < count; n++) runIds.push(await write(shown, n))

  await page.goto(`${home}#/runs`)
  await page.locator('table.runs tbody tr').first().waitFor()
  for (const [n, runId] of runIds.entries()) {
    await page.goto(`${home}#/runs/default/${runId}`)
    await page.getByText(`the end of ${n}`, { exact: true }).waitFor()
    await page.locator('.checks summary').click()
    await page.getByText('CHECK-').waitFor()
    assert.deepEqual(await straysOn(page), none, payload(n))
    for (const [address, sign] of isFull
      ? otherPages
      : n % 3 === 0
        ? [otherPages[n % otherPages.length] as OtherPage]
        : []) {
      await page.goto(home + address(n, runId))
      await sign(page, n).first().waitFor()
      assert.deepEqual(await straysOn(page), none, payload(n))
    }
  }
  await page.goto(`${home}#/runs?q=the%20end`)
  await page.locator('.results li').first().waitFor()
  for (const [address, sign] of [
    ['#/specs', '.card'],
    ['#/features', '.features li'],
    ['#/activity?view=events', '.activity li'],
  ] as const) {
    await page.goto(home + address)
    await page.locator(sign).first().waitFor()
    assert.deepEqual(await straysOn(page), none, address)
  }
  await page.goto(`${home}#/`)
  await page.locator('.lane').first().waitFor()
  assert.equal(hits, 0)
})

test('no text of a turn or a diff can run, load or redirect anything', async (t) => {
  const { client, page, home } = await openPage(t, blank)
  let hits = 0
  await page.exposeFunction('hit', () => hits++)
  const all = Array.from({ length: size(tries.length, 200) }, (_, n) => n)
  await client.createRun({ runId: 'T', title: payload(0), agent: 'claude-code', status: 'in_progress' })
  for (const n of all) await client.appendTurn({ runId: 'T', ...turnOf(n) })
  const files = all.flatMap(diffsOf)
  await page.route('**/v1/runs/T/diff?*', (route) => route.fulfill({ json: { files, meta: { total: files.length } } }))
  await page.goto(`${home}#/runs/default/T`)
  await page.locator('.asks li').waitFor()
  await page.getByRole('button', { name: 'Unfold all' }).click()
  await page
    .locator('.turn.unfolded .prose')
    .nth(all.length - 2)
    .waitFor()
  assert.deepEqual(await straysOn(page), none)

  await page.goto(`${home}#/runs/default/T?view=changes`)
  await page.getByRole('button', { name: 'Side by side' }).click()
  for (const n of all) {
    await page
      .locator('.file-list a')
      .nth(n * 4)
      .click()
    await page
      .locator('.file-diff')
      .nth(n * 4)
      .locator('.diff-row')
      .first()
      .waitFor()
  }
  assert.deepEqual(await straysOn(page), none, 'side by side')
  // Without the list, which puts each path into the address again.
  await page.getByRole('button', { name: 'Unified' }).click()
  assert.equal(await drawnBy(page), files.length)
  assert.deepEqual(await straysOn(page), none, 'unified')
  assert.equal(hits, 0)
})

test('a text that is deeply nested, or slow to parse, is still shown', async (t) => {
  const { client, page, home } = await openPage(t, blank)
  const texts = [
    '> '.repeat(50_000),
    '_a'.repeat(50_000),
    '- '.repeat(50_000),
    '> a\nb\n'.repeat(20_000),
    '[*'.repeat(50_000),
  ]
  for (const [n, text] of texts.entries()) {
    const content = `${text}\n\nthe end of ${n}`
    await client.createRun({ runId: `R-${n}`, title: 'x', content, status: 'completed' })
    await client.createSpec({ specId: `S-${n}`, title: 'x', content })
    for (const address of [`#/runs/default/R-${n}`, `#/specs/default/S-${n}`]) {
      await page.goto(home + address)
      await page.getByText(`the end of ${n}`).waitFor()
    }
  }
})
