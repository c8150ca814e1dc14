import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Client } from '../../src/client/client.ts'
import { questionsOf } from '../../src/web/data/runs/questions.ts'
import { blank, openPage } from '../support/browser.ts'
import { assertLinear } from '../support/linear.ts'

test('the questions of an answer are those at its end, outside of code', async () => {
  const cases: [answer: string, questions: string[]][] = [
    ['Done. All tests pass.', []],
    ['Why did it fail? It waited.\n\nI mended it.\n\nAll pass.\n\nThat is all.', []],
    ['Done. Shall I commit it?', ['Shall I commit it?']],
    ['Two are open:\n\n1. Remove **it?**\n2) Keep that?\n\nLet me know.', ['Remove **it?', 'Keep that?']],
    ['- _Which one?_', ['Which one?']],
    ['Like this:\n\n```ts\nconst a = b ? c : d?\n```', []],
    ['```\nwhat?', []],
    ['a? b? c? d?', ['b?', 'c?', 'd?']],
    ['', []],
  ]
  for (const [answer, questions] of cases) assert.deepEqual(questionsOf(answer), questions, answer)
  const pieces = ['* ', '?*', '\n \n', '1.', '`', '? ']
  await assertLinear(
    pieces.map((piece) => (length) => piece.repeat(length / piece.length)),
    questionsOf,
    16_000,
  )
})

async function addTurns(client: Client, count: number) {
  const where = { cwd: '/home/ada/our boats', session: 's-1' }
  await client.createRun({ runId: 'S', title: 'Hold a boat', agent: 'claude-code', status: 'in_progress', where })
  for (let n = 1; n <= count; n++) {
    await client.appendTurn({
      runId: 'S',
      prompt: `Prompt ${n}\nand more`,
      answer: n === count ? 'It is held.\n\nShall the hold end at night?' : `Answer ${n}`,
      files: [{ path: `src/${n}.ts`, insertions: n, deletions: 0 }],
      commands: [{ command: 'npm test', exitCode: n % 10 === 0 ? 1 : 0 }],
      usage: { costUsd: 0.25 },
      startedAt: '2026-03-02T09:00:00.000Z',
      endedAt: '2026-03-02T09:03:20.000Z',
    })
  }
}

test('a session of 40 turns fits two screens, with its end at the top and its turns as lines that unfold', async (t) => {
  const { page, client, home } = await openPage(t, blank, { viewport: { width: 1440, height: 900 } })
  await addTurns(client, 40)
  await client.updateRun({ runId: 'S', status: 'completed' })
  await page.goto(`${home}#/runs/default/S`)
  const answer = page.getByRole('region', { name: 'Last answer' })
  await answer.getByText('It is held.').waitFor()
  await page.getByRole('region', { name: 'It asks' }).getByText('Shall the hold end at night?').waitFor()
  await page.locator('.retry').getByText("cd '/home/ada/our boats' && claude --resume s-1", { exact: true }).waitFor()

  const turns = page.locator('.turn')
  await turns.nth(39).waitFor()
  assert.equal(await turns.count(), 40)
  assert.deepEqual(await page.locator('.turn.unfolded').evaluateAll((all) => all.map(({ id }) => id)), ['turn-40'])
  const height = await page.locator('.session').evaluate((list) => list.getBoundingClientRect().height)
  assert.ok(height <= 1800, `${height} px`)
  await page.locator('#turn-10').getByText('1 command failed').waitFor()

  const outline = page.getByRole('navigation', { name: 'Turns' })
  await outline.getByRole('link', { name: '7 Prompt 7' }).click()
  await page.waitForURL(/turn=7$/)
  await page.locator('#turn-7').getByText('Answer 7').waitFor()
  await page.locator('.outline [aria-current]', { hasText: 'Prompt 7' }).waitFor()
  const { top, bottom } = await outline.evaluate((it) => it.getBoundingClientRect().toJSON())
  assert.ok(top >= 0 && bottom <= 900, `${top} to ${bottom}`)

  for (const key of ['j', 'j', 'j', 'k', 'o']) await page.keyboard.press(key)
  await page.locator('#turn-8.unfolded :focus').waitFor()
  await page.keyboard.press('Enter')
  await page.locator('#turn-8:not(.unfolded) :focus').waitFor()
  await page.getByRole('button', { name: 'Unfold all' }).click()
  assert.equal(await page.locator('.turn.unfolded').count(), 40)
  await page.getByRole('button', { name: 'Fold all' }).click()
  assert.equal(await page.locator('.turn.unfolded').count(), 0)

  // A window too low for the outline, which follows what is read.
  await page.setViewportSize({ width: 1440, height: 500 })
  await page.mouse.move(600, 250)
  await page.mouse.wheel(0, 9000)
  await page.waitForFunction(() => {
    const link = document.querySelector('.outline [aria-current]')
    const around = link?.closest('.outline')?.getBoundingClientRect()
    const its = link?.getBoundingClientRect()
    const isLate = Number(link?.querySelector('span')?.textContent) > 25
    return around && its && isLate && its.top >= around.top && its.bottom <= around.bottom
  })
  await page.setViewportSize({ width: 1440, height: 900 })

  await page.goto(`${home}?again#/runs/default/S/turns/12`)
  await page.locator('#turn-12.unfolded').getByText('Answer 12').waitFor()
  await page.locator('#turn-12').getByRole('link', { name: '1 file' }).click()
  await page.waitForURL(/view=changes&turn=12$/)
  await page.getByRole('link', { name: 'turn 12' }).waitFor()
})

test('a session that goes on grows without moving what is being read', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await addTurns(client, 12)
  await page.goto(`${home}#/runs/default/S?turn=6`)
  const read = page.locator('#turn-6')
  await read.getByText('Answer 6').waitFor()
  const answer = page.getByRole('region', { name: 'Last answer' })
  await answer.getByText('It is held.').waitFor()
  const isAt = (wanted: number) =>
    page.waitForFunction((wanted) => {
      const { top = -1e9 } = document.getElementById('turn-6')?.getBoundingClientRect() ?? {}
      return Math.abs(top - wanted) <= 2
    }, wanted)
  const top = (await read.evaluate((it) => it.getBoundingClientRect().top)) - 10
  await page.mouse.move(400, 400)
  await page.mouse.wheel(0, 10)
  await isAt(top)
  await client.appendTurn({ runId: 'S', prompt: 'Go on', answer: `${'A long answer.\n\n'.repeat(6)}The end.` })
  await page.locator('#turn-13.unfolded').waitFor()
  await answer.getByText('The end.').waitFor()
  await page.locator('#turn-12.unfolded').waitFor()
  await isAt(top)
})

test('a link to the turn that the address already names unfolds it again and scrolls to it', async (t) => {
  const { page, client, home } = await openPage(t, blank, { viewport: { width: 1440, height: 500 } })
  await addTurns(client, 40)
  await page.goto(`${home}#/runs/default/S?turn=10`)
  const turn = page.locator('#turn-10')
  await turn.getByText('Answer 10').waitFor()
  const outline = page.getByRole('navigation', { name: 'Turns' })
  const step = () => page.evaluate(() => history.state)
  const before = await step()
  await turn.getByRole('button', { name: 'Prompt 10' }).click()
  await page.locator('#turn-10:not(.unfolded)').waitFor()
  await page.evaluate(() => scrollTo(0, 0))
  await outline.getByRole('link', { name: '10 Prompt 10' }).click()
  await page.locator('#turn-10.unfolded').waitFor()
  await page.waitForFunction(() => {
    const { top = -1 } = document.getElementById('turn-10')?.getBoundingClientRect() ?? {}
    return top >= 0 && top < 100
  })
  assert.deepEqual([typeof before, await step()], ['number', before], 'the entry of the history keeps its number')
})

test('only the last turn is unfolded, also if the turns could not be read at first', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await addTurns(client, 4)
  await page.route(/\/turns\?.*limit=100/, (route) =>
    route.fulfill({ status: 500, json: { error: 'Sorry', code: 'INTERNAL_ERROR' } }),
  )
  await page.goto(`${home}#/runs/default/S`)
  await page.getByRole('alert').getByText('Sorry').waitFor()
  await page.unroute(/\/turns\?.*limit=100/)
  await client.appendTurn({ runId: 'S', prompt: 'Go on' })
  await page.locator('#turn-5').waitFor()
  assert.deepEqual(await page.locator('.turn.unfolded').evaluateAll((all) => all.map(({ id }) => id)), ['turn-5'])
})

test('sessions are compared by their last answers', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  for (const runId of ['A', 'B']) {
    await client.createRun({ runId, status: 'completed' })
    await client.appendTurn({ runId, prompt: 'Go on', answer: `The **end** of ${runId}` })
    await client.appendTurn({ runId, prompt: 'Stop', interrupted: true })
  }
  await page.goto(`${home}#/compare?run=default/A&run=default/B`)
  const answers = page.getByRole('region', { name: 'Last answers' })
  for (const runId of ['A', 'B']) await answers.getByRole('region', { name: runId }).getByText(`of ${runId}`).waitFor()
  assert.equal(await page.getByRole('heading', { name: 'Content' }).count(), 0)
})

test('an answer before many turns without one stays in its turn, and is not looked for at the top', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createRun({ runId: 'S', title: 'Hold a boat', agent: 'codex', status: 'in_progress' })
  await client.appendTurn({ runId: 'S', prompt: 'Begin', answer: 'Boats are held.' })
  const failure = { code: 'RATE_LIMIT', message: 'Too many requests' }
  for (let n = 2; n <= 7; n++) await client.appendTurn({ runId: 'S', prompt: `Go on ${n}`, failure })
  await page.goto(`${home}#/runs/default/S?turn=1`)
  await page.locator('#turn-1').getByText('Boats are held.').waitFor()
})
