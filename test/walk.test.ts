import assert from 'node:assert/strict'
import { setImmediate as tick } from 'node:timers/promises'
import { testLedger } from './support/engines.ts'

const statuses = ['pending', 'in_progress', 'completed', 'failed'] as const

testLedger('a walk over many projects misses no run whose status changes meanwhile', async ({ client, as }) => {
  const runs: { project: string; runId: string }[] = []
  for (let n = 0; n < 8; n++) {
    const { slug } = (await client.createProject({ slug: `p${n}` })).project
    for (let m = 0; m < 8; m++) {
      runs.push({ project: slug, runId: (await as({ project: slug }).createRun({ agent: 'x' })).run.runId })
    }
  }
  let left = 20
  const change = async (first: number) => {
    for (let n = first; left > 0; n += 7) {
      const { project, runId } = runs[n % runs.length] as (typeof runs)[number]
      await as({ project }).updateRun({ runId, status: statuses[Math.imul(n, 2_654_435_761) >>> 30] as 'pending' })
      await tick()
    }
  }
  const walk = async () => {
    while (left-- > 0) {
      const found = await Array.fromAsync(client.all('listRuns', { agent: 'x' }))
      const seen = new Set(found.map(({ project, runId }) => `${project} ${runId}`))
      assert.deepEqual(
        runs.filter(({ project, runId }) => !seen.has(`${project} ${runId}`)),
        [],
      )
      await tick()
    }
  }
  await Promise.all(
    [change(0), change(17), change(34), change(51), walk(), walk()].map((one) => one.finally(() => (left = 0))),
  )
})

testLedger(
  'a reader of one type misses no event, also of projects that are created meanwhile',
  async ({ client, as }) => {
    const creates = 20
    const slugs = Array.from({ length: 30 }, (_, n) => `p${n}`)
    for (const slug of slugs) await client.createProject({ slug })
    const { meta } = await client.listEvents({ order: 'desc', limit: 1 })
    const from = meta.lastSeq
    let isWriting = true
    const read = async () => {
      const seen: number[] = []
      for (let after = from, isLast = false; ; await tick()) {
        isLast = !isWriting
        const page = await client.listEvents({ type: ['run.created'], after, limit: 20 })
        seen.push(...page.events.map(({ seq }) => seq))
        after = page.meta.lastSeq
        if (isLast && page.events.length === 0) return seen
      }
    }
    const readers = Array.from({ length: 3 }, read)
    const write = async (writer: number) => {
      for (let n = 0; n < creates; n++) {
        const slug = n % 10 === 9 ? `new-${writer}-${n}` : (slugs[(n * 7 + writer) % slugs.length] as string)
        if (n % 10 === 9) await client.createProject({ slug })
        await as({ project: slug }).createRun({})
      }
    }
    await Promise.all([0, 1, 2, 3, 4, 5].map(write))
    isWriting = false
    const expected: number[] = []
    for (let after = from, hasMore = true; hasMore; ) {
      const { events, meta } = await client.listEvents({ after, limit: 100 })
      for (const { type, seq } of events) if (type === 'run.created') expected.push(seq)
      after = meta.lastSeq
      hasMore = meta.hasMore
    }
    assert.equal(expected.length, 6 * creates)
    for (const seen of await Promise.all(readers)) assert.deepEqual(seen, expected)
  },
)
