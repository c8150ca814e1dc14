import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Locator } from 'playwright-core'
import { blank, openPage } from '../support/browser.ts'

/** Turns all that follows it from right to left. */
const turn = '\u202e'
/** A joiner of words and a tag, which nobody sees. */
const unseen = '\u2060\u{e0041}'

const boxOf = (place: Locator) => place.evaluate((element) => element.getBoundingClientRect())

test('a text that turns its direction turns nothing beside it, and commands show such characters', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const command = `rm -rf ${turn}tset${unseen}`
  const shown = 'rm -rf \\u202etset\\u2060\\u{e0041}'
  await client.createRun({ title: `safe ${turn}detcejer`, agent: `codex ${turn}`, status: 'in_progress', command })
  await client.createCheck({ runId: 'RUN-001', name: `tests ${turn}`, result: 'pass', command, exitCode: 0 })
  await client.appendTurn({ runId: 'RUN-001', prompt: 'Go', commands: [{ command: `${command}\nls`, exitCode: 0 }] })
  const since = new Date().toISOString()
  await client.heartbeat({ runId: 'RUN-001', activity: { state: 'working', tool: 'Bash', target: command, since } })
  await page.goto(`${home}#/`)
  await page.locator('.lane .doing', { hasText: shown }).waitFor()

  await page.goto(`${home}#/runs/default/RUN-001`)
  await page.locator('.about code', { hasText: shown }).waitFor()
  await page.locator('.checks code', { hasText: shown }).waitFor()
  await page
    .locator('.turn code')
    .filter({ hasText: /^rm -rf \\u202etset\\u2060\\u\{e0041\}\nls$/ })
    .waitFor()

  await page.goto(`${home}#/activity?view=events`)
  const row = page.locator('.activity li', { hasText: 'created run' })
  const [title, project] = [row.getByText('safe'), row.locator('.muted', { hasText: 'in default' })]
  await project.waitFor()
  const [end, begin] = [(await boxOf(title)).right, (await boxOf(project)).left]
  assert.ok(begin >= end, `the project begins at ${begin}, and the title ends at ${end}`)
})

test('a name from right to left stays before the time since when its run waits', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createRun({ title: 'Ask', author: 'فاطمة السيد <f@example.com>', status: 'in_progress' })
  await client.heartbeat({ runId: 'RUN-001', activity: { state: 'waiting', tool: 'Bash' } })
  await page.goto(`${home}#/`)
  const words = page.locator('.lane .silence')
  await words.waitFor()
  const [name, time] = await words.evaluate((element) => {
    const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
    const boxOf = (pattern: RegExp) => {
      for (texts.currentNode = element; texts.nextNode(); ) {
        const found = pattern.exec(texts.currentNode.nodeValue ?? '')
        if (!found) continue
        const range = document.createRange()
        range.setStart(texts.currentNode, found.index)
        range.setEnd(texts.currentNode, found.index + found[0].length)
        return range.getBoundingClientRect()
      }
      return new DOMRect()
    }
    return [boxOf(/فاطمة السيد/), boxOf(/\d+(?=s|ms)/)]
  })
  assert.ok(name && time && time.left >= name.right, `the time is at ${time?.left}, the name ends at ${name?.right}`)
})

test('a text from right to left is cut at its end, not at its beginning', async (t) => {
  const { page, client, home } = await openPage(t, blank, { viewport: { width: 800, height: 800 } })
  const title = 'إصلاح اتجاه النص في صفحة الدخول '.repeat(5)
  await client.createRun({ title, status: 'completed', specId: 'A-1' })
  await client.appendTurn({ runId: 'RUN-001', prompt: title, answer: title })
  await client.createRun({ title, status: 'in_progress' })
  await client.appendTurn({ runId: 'RUN-002', prompt: title, answer: title })
  const since = new Date().toISOString()
  await client.heartbeat({ runId: 'RUN-002', activity: { state: 'working', tool: 'Bash', since } })
  await client.createSpec({ specId: 'A-1', title })
  /** Whether the first letter is within the box of its element. */
  const begins = (element: Element) => {
    const letter = document.createRange()
    const text = document.createTreeWalker(element, NodeFilter.SHOW_TEXT).nextNode() as Text
    letter.setStart(text, 0)
    letter.setEnd(text, 1)
    const [its, box] = [letter.getBoundingClientRect(), element.getBoundingClientRect()]
    return its.left >= box.left - 1 && its.right <= box.right + 1
  }
  for (const [address, places] of [
    ['#/', ['.recap .title', '.lane .title', '.lane .said']],
    ['#/runs', ['table.runs .title']],
    ['#/runs/default/RUN-001', ['h1', '.prose p', '.asked']],
    ['#/specs', ['.card .title']],
  ] as const) {
    await page.goto(home + address)
    for (const place of places) {
      await page.locator(place).first().waitFor()
      assert.ok(await page.locator(place).first().evaluate(begins), `${address} ${place}`)
    }
  }
})
