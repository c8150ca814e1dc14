import assert from 'node:assert/strict'
import { testLedger } from './engines.ts'

testLedger('a run is created, read, changed and deleted', async ({ client }) => {
  const { run } = await client.createRun({
    runId: 'RUN-001',
    specId: 'AUTH-001',
    content: '# Run log\n\nImplemented features',
    status: 'completed',
  })
  assert.equal(run.title, 'Run log')
  assert.ok(!('content' in run))
  const { run: read } = await client.getRun({ runId: 'RUN-001' })
  assert.equal(read.content, '# Run log\n\nImplemented features')
  assert.deepEqual(read.features, [])
  const { run: changed } = await client.updateRun({ runId: 'RUN-001', content: 'Updated', status: 'failed' })
  assert.equal(changed.version, 2)
  assert.deepEqual(await client.linkFeatures({ runId: 'RUN-001', featureIds: [42, 43, 44] }), {
    message: 'Features linked successfully',
    count: 3,
    created: [42, 43, 44],
  })
  assert.deepEqual(await client.deleteRun({ runId: 'RUN-001' }), { message: 'Run deleted successfully' })
  await assert.rejects(client.getRun({ runId: 'RUN-001' }), { code: 'NOT_FOUND' })
})
