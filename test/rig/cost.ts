import { parseArgs } from 'node:util'
import type { RealAgent } from './agents/agent.ts'
import { realAgents } from './agents/agents.ts'
import { installedAgent, installedConduct } from './install.ts'
import type { Script } from './model/script.ts'
import { startModel } from './model/server.ts'
import { freshPlace } from './place.ts'
import { done, runs, writes } from './replies.ts'
import { runAgent } from './run.ts'

// How much longer a session takes with hooks: `node test/rig/cost.ts claude codex --rounds 5`. Needs a quiet machine.

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' } },
})
const names = positionals.length > 0 ? positionals : ['claude', 'codex']

/** Six calls of the model, and five tools. */
const script: Script = {
  replies: [writes('a.txt'), runs('npm test'), writes('b.txt'), runs('ls'), runs('npm test'), done('That was all.')],
}
/** How long the model takes for a reply, in milliseconds. */
const pace = 400

/** The seconds of one session in a place of its own. */
async function secondsOf(agent: RealAgent, bins: string[], hasHooks: boolean): Promise<number> {
  const place = freshPlace(bins)
  const model = await startModel({ pace })
  try {
    // The MCP server stays, so that only the hooks differ.
    if (!hasHooks) {
      place.conduct('init', '--remove', '--yes')
      place.conduct('init', '--yes', '--no-hooks')
    }
    const [home, repository, url] = [place.home, place.repository, model.urlOf('session')]
    place.write(home, agent.configure({ home, repository, url }))
    const session = { prompt: 'Write two files.', ends: 'well' as const, script }
    // The first session of a machine starts the recorder, and the agent sets up its own home.
    await runAgent(agent, place, model, 'session', session, false)
    const began = performance.now()
    const { end } = await runAgent(agent, place, model, 'session', session, false)
    if (end !== 'code 0') throw new Error(`${agent.title} ended with ${end}`)
    return (performance.now() - began) / 1000
  } finally {
    await model.close()
    place.remove()
  }
}

const median = (numbers: number[]) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN

const conduct = await installedConduct()
for (const agent of realAgents.filter(({ name }) => names.includes(name))) {
  const bins = [conduct, await installedAgent(agent.packageName, agent.version)]
  const [without, withHooks]: [number[], number[]] = [[], []]
  for (let round = 0; round < Number(values.rounds); round++) {
    without.push(await secondsOf(agent, bins, false))
    withHooks.push(await secondsOf(agent, bins, true))
  }
  const [a, b] = [median(without), median(withHooks)]
  console.log(
    `${agent.title} ${agent.version}: ${a.toFixed(2)} s without hooks, ${b.toFixed(2)} s with, ${(b / a).toFixed(2)} ×`,
  )
}
