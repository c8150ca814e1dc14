import type { Chance } from './chance.ts'
import { jobs, repository } from './data.ts'
import { day, hour, type Step, type Team } from './step.ts'

/** What the CI does each night: without a spec, and checked by itself. */
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
        content: `# Nightly end-to-end tests\n\n${result === 'pass' ? 'All 312 pass.' : 'One of 312 passes only when it is tried again.'}\n`,
      })
      it.runId = run.runId
    }
    const end = async ({ ci }: Team) => {
      await ci.updateRun({ runId: it.runId, status: 'completed' })
      const exitCode = result === 'fail' ? 1 : 0
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
