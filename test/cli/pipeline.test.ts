import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pipelineOf } from '../../src/capture/exec/check-seen.ts'

test('a check names the run of the pipeline that it is part of', () => {
  const github = { GITHUB_RUN_ID: '4711', GITHUB_JOB: 'test', GITHUB_RUN_ATTEMPT: '2' }
  const gitlab = { CI_PIPELINE_ID: '99', CI_JOB_NAME: 'test: [22, linux]', CI_JOB_ID: '12345678901' }
  assert.deepEqual(pipelineOf(github), { id: '4711', job: 'test', attempt: 2 })
  assert.deepEqual(pipelineOf(gitlab), { id: '99', job: 'test: [22, linux]', attempt: 12345678901 })
  assert.equal(pipelineOf({ CI: 'true' }), undefined)
})
