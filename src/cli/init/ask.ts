import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cancel, confirm, isCancel, multiselect, text } from '@clack/prompts'
import { humanIdPattern } from '../../contract/id.ts'
import { type Env, homeOf } from '../../place/folders.ts'
import { type Install, installs } from '../../recorder/agents/install.ts'
import { findProgram } from '../../system/programs.ts'
import { asked } from '../../terminal/interactive.ts'
import { clean } from '../../text/clean.ts'
import { checkLines } from './checks.ts'
import type { InitPlan } from './project-files.ts'

/** Asks the person at the terminal for what the flags leave open. Returns undefined if they cancel. */
export async function askFor(
  wanted: InitPlan,
  open: { project: boolean; agents: boolean },
): Promise<InitPlan | undefined> {
  const answers = { ...wanted }
  if (open.project) {
    const project = await asked((signal) =>
      text({
        signal,
        message: 'Name of the project in the ledger',
        initialValue: wanted.project,
        validate: (slug) => (humanIdPattern.test(slug ?? '') ? undefined : 'letters, digits and . _ : - only'),
      }),
    )
    if (isCancel(project)) return ended()
    answers.project = project
  }
  if (open.agents) {
    const options = installs.map(({ name, title }) => ({ value: name, label: title }))
    const initialValues = wanted.agents.map(({ name }) => name)
    const message = 'Agents whose sessions to record'
    const chosen = await asked((signal) => multiselect({ signal, message, options, initialValues, required: false }))
    if (isCancel(chosen)) return ended()
    answers.agents = installs.filter(({ name }) => chosen.includes(name))
  }
  if (Object.keys(wanted.checks).length > 0) {
    const message = clean(`Record these commands as checks?\n${checkLines(wanted.checks).join('\n')}`)
    const isWanted = await asked((signal) => confirm({ signal, message }))
    if (isCancel(isWanted)) return ended()
    if (!isWanted) answers.checks = {}
  }
  const what = wanted.remove ? 'Remove Conduct from' : 'Write the files in'
  const isSure = await asked((signal) => confirm({ signal, message: clean(`${what} ${wanted.root}?`) }))
  return isCancel(isSure) || !isSure ? ended() : answers
}

function ended() {
  cancel('Nothing was changed.')
  return undefined
}

/** An agent, and the evidence that this project or this user has it. */
export interface FoundAgent {
  install: Install
  by: string[]
}

/** The agents that this project or this user has. */
export function foundAgents(root: string, env: Env): FoundAgent[] {
  const home = homeOf(env)
  return installs.flatMap((install) => {
    const { signs } = install
    const by = [
      ...signs.project.filter((path) => existsSync(join(root, path))),
      ...signs.home.filter((path) => existsSync(join(home, path))).map((path) => `~/${path}`),
      ...(findProgram(signs.program, env) ? [`the program ${signs.program}`] : []),
    ]
    return by.length > 0 ? [{ install, by }] : []
  })
}

/** One line for each agent that was found, and one for those that were not. */
export function foundWords(found: FoundAgent[]): string[] {
  const lines = found.map(({ install, by }) => `found    ${install.title}: ${by.join(', ')}`)
  const missing = installs.filter((install) => !found.some((one) => one.install === install))
  return missing.length === 0
    ? lines
    : [...lines, `not found: ${missing.map(({ title, name }) => `${title} (--agents ${name})`).join(', ')}`]
}
