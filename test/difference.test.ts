import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { names } from '../src/contract/paths.ts'
import { seed, size } from './proof/size.ts'
import { base, engines } from './support/engines.ts'
import { everything } from './support/script.ts'
import { requestOf, type Shot, shots } from './support/shots.ts'
import { type Entry, type Recorder, transcriptOf } from './support/transcript.ts'

const sampled = size(150, 20_000)

/** The ETags of these operations contain a row id, which may differ between engines. */
const withoutRowVersion = (shot: Shot): Shot =>
  /(Run|Spec|Check)$/.test(shot.name)
    ? { ...shot, headers: shot.headers.filter(([name, value]) => name !== 'If-Match' || !/\d/.test(value)) }
    : shot

async function sample({ send, wait }: Recorder) {
  for (const shot of fc.sample(shots, { numRuns: sampled, seed })) {
    if (!shot.headers.some(([name]) => name === 'Authorization')) await send(requestOf(withoutRowVersion(shot), base))
    wait(1)
  }
}

const scripts: Record<string, (recorder: Recorder) => Promise<void>> = {
  'a long script of right and wrong calls': everything,
  [`${sampled} requests of seed ${seed}`]: sample,
}

/** The responses to the long script. */
const answered: Entry[] = []

for (const [what, script] of Object.entries(scripts)) {
  test(`all engines return the same responses: ${what}`, async (t) => {
    const [first = [], ...others] = await Promise.all(engines.map((engine) => transcriptOf(t, engine, script)))
    if (script === everything) answered.push(...first)
    for (const entries of others) {
      assert.equal(entries.length, first.length)
      for (const [index, entry] of entries.entries()) assert.deepEqual(entry, first[index], entry.asked)
    }
  })
}

test('the script calls every operation, with success and with an error', () => {
  const called = (fits: (status: number) => boolean) =>
    new Set(answered.filter(({ status }) => fits(status)).map(({ asked }) => asked.split(' ')[0]))
  assert.deepEqual(
    names.filter((name) => !called((status) => status < 300).has(name)),
    [],
  )
  assert.deepEqual(
    names.filter((name) => !called((status) => status >= 400).has(name)),
    [],
  )
})
