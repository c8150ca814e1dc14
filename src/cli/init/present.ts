import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Env } from '../../place/folders.ts'
import { onPath } from '../../place/program.ts'
import { type Install, installs } from '../../recorder/agents/install.ts'

/** An agent, and the evidence that this project or this user has it. */
export interface Found {
  install: Install
  by: string[]
}

/** The agents that this project or this user has. */
export function foundAgents(root: string, env: Env): Found[] {
  const home = env.HOME || homedir()
  return installs.flatMap((install) => {
    const { signs } = install
    const by = [
      ...signs.project.filter((path) => existsSync(join(root, path))),
      ...signs.home.filter((path) => existsSync(join(home, path))).map((path) => `~/${path}`),
      ...(onPath(signs.program, env) ? [`the program ${signs.program}`] : []),
    ]
    return by.length > 0 ? [{ install, by }] : []
  })
}

/** One line for each agent that was found, and one for those that were not. */
export function foundWords(found: Found[]): string[] {
  const lines = found.map(({ install, by }) => `found    ${install.title}: ${by.join(', ')}`)
  const missing = installs.filter((install) => !found.some((one) => one.install === install))
  return missing.length === 0
    ? lines
    : [...lines, `not found: ${missing.map(({ title, name }) => `${title} (--agents ${name})`).join(', ')}`]
}
