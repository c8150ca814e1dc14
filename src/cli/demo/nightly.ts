import { type Chance, jobs, repository } from './data.ts'
import { day, hour, type Step, type Team } from './step.ts'

/** What CI does each night: a run without a spec that CI itself checks. */
export function nightlySteps(chance: Chance): Step[] {
  return Array.from({ length: 30 }, (_, at) => 29 - at).flatMap((ago) => {
    const it = { runId: '' }
    const begins = -ago * day - 11 * hour
    const result = ago === 17 ? 'fail' : ago === 9 ? 'warn' : 'pass'
    const commit = chance.hex(40)
    const durationMs = chance.between(900, 1500) * 1000
    const create = async ({ ci }: Team) => {
      const { run } = await ci.createRun({
        title: 'Nightly end-to-end tests',
        agent: 'ci',
        status: 'in_progress',
        labels: { kind: 'nightly' },
        where: { host: 'runner-2', cwd: '/builds/harbor' },
        git: { repository, branch: 'main', commit, dirty: false },
        links: [{ rel: 'job', href: `${jobs}/${9000 - ago}` }],
        command: 'npm run e2e',
        contentType: 'text/x-terminal',
        content: outputOf(result),
      })
      it.runId = run.runId
    }
    const end = async ({ ci }: Team) => {
      const exitCode = result === 'fail' ? 1 : 0
      await ci.updateRun({ runId: it.runId, status: 'completed', exitCode })
      await ci.createCheck({
        runId: it.runId,
        name: 'e2e',
        agent: 'ci',
        result,
        command: 'npm run e2e',
        exitCode,
        durationMs,
        commit,
      })
    }
    return [
      { at: begins, act: create },
      { at: begins + durationMs, act: end },
    ]
  })
}

const pages = ['booking', 'calendar', 'payments', 'login', 'search', 'mail']
const colour = (code: number, text: string) => `\x1b[${code}m${text}\x1b[0m`

/** The output of the end-to-end tests, in colour. */
function outputOf(result: 'pass' | 'warn' | 'fail'): string {
  const tests = Array.from({ length: 312 }, (_, at) => {
    const page = pages[at % pages.length]
    const isOdd = at === 213
    const mark =
      isOdd && result === 'fail' ? colour(31, '✖') : isOdd && result === 'warn' ? colour(33, '↻') : colour(32, '✔')
    const details = isOdd && result === 'fail' ? assertion : ''
    const name = isOdd
      ? 'two guests book the same boat in the same second'
      : `case ${Math.floor(at / pages.length) + 1}`
    return `  ${mark} ${page} › ${name} ${colour(90, `(${400 + ((at * 37) % 900)} ms)`)}\n${details}`
  })
  const summary =
    result === 'fail'
      ? `${colour(31, '1 failed')}, 311 passed`
      : `${colour(32, '312 passed')}${result === 'warn' ? ', 1 flaky' : ''}`
  return `${colour(36, '> harbor e2e')}\n\n${tests.join('')}\n${summary}\n`
}

const assertion = `${colour(31, '    AssertionError: expected 1 booking, got 2')}\n        at test/e2e/booking.spec.ts:88:14\n`
