import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Run } from '../../src/nouns/run/fields.ts'
import { eachTick, oneAtATime } from '../../src/web/data/query/timing.ts'
import { keptRuns } from '../../src/web/data/runs/run-events.ts'
import { openPage } from '../support/browser.ts'

test('all listeners of an interval share one timer, which stops without listeners', (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'] })
  const started = t.mock.method(globalThis, 'setInterval')
  const stopped = t.mock.method(globalThis, 'clearInterval')
  const times: [name: string, now: number][] = []
  const leaveA = eachTick(1000, (now) => times.push(['a', now]))
  const leaveB = eachTick(1000, (now) => times.push(['b', now]))
  t.mock.timers.tick(1000)
  leaveA()
  t.mock.timers.tick(1000)
  leaveB()
  t.mock.timers.tick(5000)
  assert.deepEqual(times, [
    ['a', 1000],
    ['b', 1000],
    ['b', 2000],
  ])
  assert.deepEqual([started.mock.callCount(), stopped.mock.callCount()], [1, 1])
})

test('keptRuns keeps the object of an unchanged run', () => {
  const runOf = (id: number, title: string) => ({ id, title }) as Run
  const before = [runOf(1, 'a'), runOf(2, 'b')]
  const after = keptRuns(before, [runOf(3, 'c'), runOf(2, 'b'), runOf(1, 'changed')])
  assert.equal(after[1], before[1])
  assert.deepEqual(
    after.map(({ title }) => title),
    ['c', 'b', 'changed'],
  )
})

test('oneAtATime pauses between two calls, except when now() asks for one', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  let times = 0
  const { soon, now } = oneAtATime(async () => {
    times++
  }, 5000)
  soon()
  soon()
  await settle()
  assert.equal(times, 1)
  t.mock.timers.tick(5000)
  await settle()
  assert.equal(times, 2)
  now()
  await settle()
  assert.equal(times, 3)
  t.mock.timers.tick(5000)
  await settle()
  assert.equal(times, 3)
})

test('no animation on the page is endless, because each frame would draw the page again', async (t) => {
  const { page, client } = await openPage(t)
  const { run } = await client.createRun({ title: 'At work', status: 'in_progress' })
  await client.heartbeat({ runId: run.runId, activity: { state: 'working', tool: 'Edit', target: 'a.ts' } })
  await page.locator('.lane.working').getByText('Edit').waitFor()
  const endless = await page.evaluate(
    () => document.getAnimations().filter(({ effect }) => effect?.getTiming().iterations === Infinity).length,
  )
  assert.equal(endless, 0)
})
