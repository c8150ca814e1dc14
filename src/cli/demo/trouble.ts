import { type Attempt, attemptSteps } from './attempt.ts'
import { type Chance, type ProductPart, parts, persons } from './data.ts'
import { type DemoStep, day, hour } from './step.ts'

/** So many days ago, the nightly tests found for the first time that two guests can book the same boat. */
export const firstDoubleBooking = 17

/**
 * What went wrong besides the tasks, and what the team decided about it. A double booking is fixed in the middle of the
 * month and is back last night: two attempts to fix it fail, and Yuki looks at it. Two more failures are put off and
 * resolved. `lastNight` is the run of the last nightly tests.
 */
export function troubleSteps(chance: Chance, lastNight: { runId: string }): DemoStep[] {
  const { BOOK, MAIL, OPS } = parts as Record<'BOOK' | 'MAIL' | 'OPS', ProductPart>
  const attempt = (more: Omit<Attempt, 'done'>) => {
    const run = { runId: '' }
    return { run, steps: attemptSteps({ ...more, done: new Set(), made: run }, false, chance) }
  }
  const double = { title: 'Stop two guests from booking the same boat', part: BOOK, agent: 'codex' } as const
  const again = { ...double, title: 'Stop the double booking that came back', agent: 'claude-code' } as const
  const morning = -firstDoubleBooking * day
  const first = attempt({ ...double, at: morning - 8 * hour, outcome: 'failing', turn: 300 })
  const second = attempt({ ...double, at: morning - 6 * hour, outcome: 'verified', turn: 300, retried: first.run })
  const third = attempt({ ...again, at: -8 * hour, outcome: 'failing', turn: 302 })
  const fourth = attempt({ ...again, at: -5 * hour, outcome: 'failing', turn: 302, retried: third.run })
  const driver = attempt({
    ...{
      title: 'Upgrade the database driver',
      part: OPS,
      agent: 'claude-code',
      at: -2 * day,
      outcome: 'failed',
      turn: 304,
    },
    failure: { code: 'TESTS_FAILED', message: '3 of 214 tests fail with version 9: it returns dates as text.' },
  })
  const lost = attempt({
    ...{
      title: 'Preview emails in the dark theme',
      part: MAIL,
      agent: 'cursor',
      at: -1.2 * day,
      outcome: 'lapsed',
      turn: 306,
    },
  })
  return [
    ...[first, second, third, fourth, driver, lost].flatMap(({ steps }) => steps),
    {
      at: -9 * hour,
      act: ({ mateo }) =>
        mateo.updateAttention({
          runIds: [lastNight.runId],
          ...{ assignee: persons.yuki, note: 'It is the double booking of two weeks ago.' },
        }),
    },
    {
      at: -1.9 * day,
      act: ({ ada }) =>
        ada.updateAttention({
          runIds: [driver.run.runId],
          ...{ until: new Date(Date.now() + 5 * day).toISOString(), note: 'Waits for version 9.1 of the driver.' },
        }),
    },
    {
      at: -1.1 * day,
      act: ({ yuki }) =>
        yuki.updateAttention({ runIds: [lost.run.runId], resolved: true, note: 'My laptop was asleep.' }),
    },
  ]
}
