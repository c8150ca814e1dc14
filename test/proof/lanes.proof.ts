import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { openPage } from '../support/browser.ts'
import { notingFrames, slowFramesOf } from '../support/frames.ts'
import { size } from './size.ts'

const lanes = 100
const eventsPerSecond = 20
const seconds = size(10, 120)

test(`Now with ${lanes} live lanes at ${eventsPerSecond} events a second draws each frame within 50 ms`, async (t) => {
  const { page, client } = await openPage(t, '', { before: notingFrames })
  const ids = Array.from({ length: lanes }, (_, n) => `LIVE-${n}`)
  for (const [n, runId] of ids.entries()) {
    await client.createRun({ runId, title: `Work of agent ${n}`, agent: 'claude-code', status: 'in_progress' })
    await client.appendTurn({ runId, prompt: 'Go on', answer: `Answer ${n}.` })
    await client.heartbeat({ runId, activity: { state: 'working', tool: 'Edit', target: `src/${n}.ts` } })
  }
  await page.reload()
  await page.getByRole('button', { name: /more at work$/ }).click()
  await page
    .locator('.lane')
    .nth(lanes - 1)
    .waitFor()
  // The first drawing of the page does not count.
  await wait(3000)
  await slowFramesOf(page)

  const begun = performance.now()
  for (let n = 0; n < seconds * eventsPerSecond; n++) {
    const runId = ids[n % lanes] as string
    if (n % 2 === 0) await client.appendToRun({ runId, text: `line ${n}\n` })
    else await client.updateRun({ runId, changes: { files: 1, insertions: n, deletions: 1 } })
    if (n % 10 === 0)
      await client.heartbeat({ runId, activity: { state: 'working', tool: 'Bash', target: `step ${n}` } })
    await wait(Math.max(0, begun + ((n + 1) * 1000) / eventsPerSecond - performance.now()))
  }
  const slow = await slowFramesOf(page)
  const took = (performance.now() - begun) / 1000
  t.diagnostic(`${seconds * eventsPerSecond} events in ${took.toFixed(0)} s, ${slow.length} frames of more than 50 ms`)
  assert.ok(took < seconds * 1.1, 'the events came at that rate')
  assert.deepEqual(slow, [])
})
