import assert from 'node:assert/strict'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { installs } from '../../src/recorder/agents/install.ts'
import { root } from '../../src/root.ts'
import type { RealAgent } from '../rig/agents/agent.ts'
import { claude } from '../rig/agents/claude.ts'
import { codex } from '../rig/agents/codex.ts'
import { gemini } from '../rig/agents/gemini.ts'
import { installedAgent, installedConduct } from '../rig/install.ts'
import type { Place } from '../rig/place.ts'
import { done, runs, writes } from '../rig/replies.ts'
import type { Scenario } from '../rig/scenarios.ts'
import { tryScenario } from '../rig/try.ts'

// The real agents install the plugins of this checkout, and record as scripted: one run for each session, with the plugin
// alone, and with the hooks of conduct init beside it.

const agents: [agent: RealAgent, commands: string[][]][] = [
  [
    claude,
    [
      ['claude', 'plugin', 'marketplace', 'add', root],
      ['claude', 'plugin', 'install', 'conduct@conduct'],
    ],
  ],
  [
    codex,
    [
      ['codex', 'plugin', 'marketplace', 'add', root],
      ['codex', 'plugin', 'add', 'conduct@conduct'],
    ],
  ],
  [gemini, [['sh', '-c', `echo y | gemini extensions install ${join(root, 'plugins/gemini')} --consent`]]],
]

function withPlugin(commands: string[][], isAlone: boolean): Scenario {
  return {
    name: isAlone ? 'plugin alone' : 'plugin and conduct init',
    prepare(place, agent) {
      for (const [program = '', ...words] of commands) {
        const fault = place.fault(program, ...words)
        if (fault) throw fault
      }
      if (isAlone) removeHooks(place, agent)
    },
    sessions: (repository) => [
      {
        prompt: 'Write with the plugin.',
        ends: 'well',
        script: { replies: [writes(`${repository}/plugin.txt`), runs('true'), done('It is written.')] },
      },
    ],
  }
}

/** Removes the file in which conduct init wrote the hooks of that agent. */
function removeHooks(place: Place, agent: RealAgent) {
  const { path } = installs.find(({ name }) => name === agent.name)?.hooks ?? assert.fail(agent.name)
  assert.ok(existsSync(join(place.repository, path)), path)
  rmSync(join(place.repository, path))
  place.git('commit', '-qam', 'Record by the plugin')
}

for (const [agent, commands] of agents) {
  for (const isAlone of [true, false]) {
    const scenario = withPlugin(commands, isAlone)
    test(`${agent.title}: ${scenario.name}`, async () => {
      const programs = {
        conduct: await installedConduct(),
        installed: await installedAgent(agent.packageName, agent.version),
      }
      const { kind, findings, note } = await tryScenario(agent, scenario, { ...programs, keep: false })
      assert.equal(
        kind,
        'as scripted',
        `${JSON.stringify(
          findings.filter(({ limit }) => limit === undefined),
          null,
          2,
        )} ${note ?? ''}`,
      )
    })
  }
}
