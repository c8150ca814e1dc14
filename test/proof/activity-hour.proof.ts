import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { CDPSession } from 'playwright-core'
import { openPage } from '../support/browser.ts'
import { notingFrames, slowFramesOf } from '../support/frames.ts'
import { size } from './size.ts'

/** As many events as arrive in an hour at 40 a second, sent as fast as the server accepts them. */
const events = size(4_000, 144_000)
const mostMB = 150

test('Activity holds at most 150 MB while an hour of 40 events a second arrives', async (t) => {
  const { page, context, client } = await openPage(t, '#/activity?type=run.updated', { before: notingFrames })
  await page.getByText('No events match these filters').waitFor()
  const runs = Array.from({ length: 40 }, (_, n) => `R-${n}`)
  for (const runId of runs) await client.createRun({ runId, title: `Run ${runId}`, status: 'in_progress' })
  const tab = await context.newCDPSession(page)
  const peak = { held: 0, process: 0 }
  const measure = async () => {
    // Measured first, because it collects the garbage of an hour compressed into minutes.
    peak.held = Math.max(peak.held, await heldMB(tab))
    peak.process = Math.max(peak.process, await processMB(page.context().browser()?.newBrowserCDPSession()))
  }
  await measure()
  const before = { ...peak }
  for (let sent = 0; sent < events; ) {
    const until = Math.min(events, sent + 4_000)
    for (; sent < until; sent += runs.length) {
      await Promise.all(runs.map((runId, n) => client.updateRun({ runId, labels: { step: String(sent + n) } })))
    }
    await measure()
  }
  await page.locator('.activity li').first().getByText('labelled run').waitFor()
  const rows = await page.locator('.activity li').count()
  const slow = await slowFramesOf(page)
  t.diagnostic(
    `${events} events: ${before.held.toFixed(0)} MB held before, ${peak.held.toFixed(0)} MB at most; the process of the tab ${before.process.toFixed(0)} and ${peak.process.toFixed(0)} MB; ${rows} rows; ${slow.length} frames of more than 50 ms`,
  )
  assert.ok(rows <= 500)
  assert.ok(peak.held < mostMB && peak.process < before.process + mostMB, JSON.stringify({ before, peak }))
})

/** The memory that the page holds after a garbage collection: objects, elements and their buffers. */
async function heldMB(tab: CDPSession): Promise<number> {
  await tab.send('HeapProfiler.collectGarbage')
  const usage = (await tab.send('Runtime.getHeapUsage')) as Record<string, number>
  const { usedSize = 0, embedderHeapUsedSize = 0, backingStorageSize = 0 } = usage
  return (usedSize + embedderHeapUsedSize + backingStorageSize) / 1e6
}

/** The private memory of the largest tab process. */
async function processMB(opened: Promise<CDPSession> | undefined): Promise<number> {
  const browser = await opened
  const { processInfo } = (await browser?.send('SystemInfo.getProcessInfo')) ?? { processInfo: [] }
  await browser?.detach()
  const own = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => privateMB(id))
  return Math.max(0, ...own)
}

function privateMB(pid: number): number {
  const lines = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').matchAll(/^Private_\w+:\s+(\d+) kB$/gm)
  return [...lines].reduce((sum, [, kB]) => sum + Number(kB) / 1000, 0)
}
