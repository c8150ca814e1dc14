import { parseArgs } from 'node:util'
import type { RealAgent } from './agents/agent.ts'
import { realAgents } from './agents/agents.ts'
import { installedAgent, installedConduct } from './install.ts'
import { report } from './report.ts'
import { scenarios } from './scenarios.ts'
import { type Outcome, tryScenario } from './try.ts'

// `npm run proof:agents` runs every scenario with every agent; `npm run proof:agents -- claude codex --scenario
// subagent --keep` runs a part.

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    scenario: { type: 'string', multiple: true, default: scenarios.map(({ name }) => name) },
    /** Keeps the folders in which the agents worked. */
    keep: { type: 'boolean', default: false },
    /** Uses the newest version of each agent instead of the known one. */
    latest: { type: 'boolean', default: false },
  },
})
const names = positionals.length > 0 ? positionals : realAgents.map(({ name }) => name)
mustBeKnown('agent', names, realAgents)
mustBeKnown('scenario', values.scenario, scenarios)

const conduct = await installedConduct()
const outcomes: Outcome[] = []
for (const agent of realAgents.filter(({ name }) => names.includes(name))) outcomes.push(...(await tryAgent(agent)))
process.stdout.write(report(outcomes))
process.exitCode =
  outcomes.every(({ kind }) => kind === 'not tried') || outcomes.some(({ kind }) => kind === 'differs') ? 1 : 0

/** Runs one scenario after the other, so that each has the machine for itself. */
async function tryAgent(agent: RealAgent): Promise<Outcome[]> {
  const wanted = scenarios.filter(
    ({ name, only }) =>
      values.scenario.includes(name) && (only?.includes(agent.name) ?? true) && !agent.leavesOut?.includes(name),
  )
  const outcomes: Outcome[] = []
  const installed = await programsOf(agent)
  for (const scenario of wanted) {
    process.stderr.write(`${agent.title}: ${scenario.name}\n`)
    const inner = scenario.inner && (await programsOf(scenario.inner(agent)))
    outcomes.push(await tryScenario(agent, scenario, { conduct, installed, inner, keep: values.keep }))
  }
  return outcomes
}

function programsOf({ packageName, version }: RealAgent): Promise<string | Error> {
  return installedAgent(packageName, values.latest ? 'latest' : version).catch((error: Error) => error)
}

function mustBeKnown(what: string, given: string[], known: readonly { name: string }[]) {
  const all = known.map(({ name }) => name)
  const unknown = given.find((name) => !all.includes(name))
  if (unknown === undefined) return
  console.error(`There is no ${what} '${unknown}': choose of ${all.join(', ')}.`)
  process.exit(2)
}
