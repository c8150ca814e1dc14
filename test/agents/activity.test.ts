import assert from 'node:assert/strict'
import { test } from 'node:test'
import { activityOf } from '../../src/recorder/agents/tools.ts'

const wait = { kind: 'wait' } as const
const asked = { state: 'waiting', tool: 'Bash', target: 'npm test', since: '1' } as const

test('a wait whose tool is not named is for the tool that is known', () => {
  assert.deepEqual(activityOf(wait, '2', asked), asked)
  assert.deepEqual(activityOf(wait, '2', { ...asked, state: 'working' }), { ...asked, since: '2' })
  assert.deepEqual(activityOf({ ...wait, tool: 'Write' }, '2', asked), { state: 'waiting', tool: 'Write', since: '2' })
  for (const before of [undefined, { state: 'idle', since: '1' } as const, { state: 'working', since: '1' } as const])
    assert.deepEqual(activityOf(wait, '2', before), { state: 'waiting', since: '2' })
})
