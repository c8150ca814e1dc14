import { existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { styleText } from 'node:util'
import { Command } from 'commander'
import { stateFile } from '../../capture/spool/state-file.ts'
import { unsentOf, unsentWords } from '../../capture/spool/unsent.ts'
import { type LocalPlace, placeOf, shownPlace } from '../../place/connect.ts'
import { folders } from '../../place/folders.ts'
import { readProfiles } from '../../place/profile.ts'
import { checkRules, recordRules, requiredChecks, starredCommands, unknownEntries } from '../../place/rules.ts'
import { unknownSettings } from '../../place/setting.ts'
import { whileWaiting } from '../../terminal/interactive.ts'
import { addCommon, addExamples, type Common } from '../../terminal/option.ts'
import { clean } from '../../text/clean.ts'
import { printJson } from '../show/print.ts'
import { agentFindings } from './doctor-agents.ts'
import { databaseFindings } from './doctor-database.ts'
import { type Finding, found, gitFindings, privacy, stateFault, stateFinding, writeFault } from './doctor-folder.ts'
import { serverFindings } from './doctor-server.ts'
import { missingFile } from './status.ts'

const { env } = process
const colours = { ok: 'green', note: 'dim', warn: 'yellow', fail: 'red' } as const

/** `conduct doctor`: checks everything that a command needs. Exits with 1 if something is broken. */
export function doctorCommand(): Command {
  const command = new Command('doctor')
  addCommon(command)
  addExamples(command, ['conduct doctor'])
  return command.action(doctor)
}

async function doctor(options: Common) {
  const cwd = process.cwd()
  const fault = stateFault(env)
  const findings = [
    ...here(fault),
    ...looking('settings', () => rules(cwd)),
    ...looking('git', () => gitFindings(cwd)),
    ...looking('hooks', () => agentFindings(env, cwd, fault === undefined)),
  ]
  const place = looked('ledger', findings, () => placeOf(options, env, cwd))
  if (place) {
    const work = place.kind === 'local' ? databaseOf(place) : serverFindings(place, env)
    findings.push(...(await whileWaiting(`Checking ${shownPlace(place)}`, work)))
  }
  if (findings.some(({ state }) => state === 'fail')) process.exitCode = 1
  if (options.json) {
    printJson(findings)
    return
  }
  for (const { about, state, told } of findings) {
    const mark = styleText(colours[state], state.padEnd(4), { stream: process.stdout })
    process.stdout.write(`${mark}  ${about.padEnd(9)} ${clean(told).replaceAll('\n', '\n                ')}\n`)
  }
}

/** The result of `look`. If it throws, adds a finding. */
function looked<T>(about: string, findings: Finding[], look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    findings.push(found(about, 'fail', (error as Error).message))
  }
}

function looking(about: string, look: () => Finding[]): Finding[] {
  const findings: Finding[] = []
  return [...(looked(about, findings, look) ?? []), ...findings]
}

/** What can be checked on this machine alone. `fault` says why nothing can be kept on it, if so. */
function here(fault: string | undefined): Finding[] {
  const unknown = unknownSettings(env)
  return [
    found('node', 'ok', `${process.versions.node}, ${process.execPath}`),
    found('sqlite', 'ok', process.versions.sqlite ?? ''),
    ...unknown.map((fault) => found('settings', 'warn', fault)),
    ...looking('profiles', profiles),
    privacy('config', folders.config(env)),
    stateFinding(fault, env),
    ...(fault === undefined ? unsent() : []),
  ]
}

const knownEntries = 'It knows "project", "checks", "required" and "record".'

/** Checks what conduct.json says about recording. */
function rules(cwd: string): Finding[] {
  checkRules(cwd)
  requiredChecks(cwd)
  recordRules(cwd)
  const starred = starredCommands(cwd).map((command) =>
    found('checks', 'warn', `In conduct.json, the * of "${command}" is ignored. Write each command as it is run.`),
  )
  const unknown = unknownEntries(cwd).map((name) =>
    found('settings', 'warn', `Conduct ignores ${JSON.stringify(name)} in conduct.json. ${knownEntries}`),
  )
  return [...starred, ...unknown]
}

function profiles(): Finding[] {
  const { current, profiles } = readProfiles(env)
  const names = Object.keys(profiles)
  return names.length === 0 ? [] : [found('profiles', 'ok', `${names.join(', ')}; in use: ${current ?? 'local'}`)]
}

function unsent(): Finding[] {
  if (!existsSync(stateFile(env))) return []
  const { waits, refusals } = unsentWords(unsentOf(env))
  const findings = [...waits, ...refusals].map((words) => found('unsent', 'warn', words))
  return findings.length > 0 ? findings : [found('unsent', 'ok', 'there is nothing to send')]
}

async function databaseOf(place: LocalPlace): Promise<Finding[]> {
  const missing = missingFile(place)
  const findings = [found('ledger', 'ok', shownPlace(place)), found('project', 'ok', place.project ?? 'all')]
  if (missing !== undefined) return [...findings, newDatabase(missing)]
  const file = /^sqlite:(?!:memory:)(.+)$/s.exec(place.databaseUrl)?.[1]
  if (file !== undefined && statSync(file).isFile()) findings.push(privacy('data', file))
  return [...findings, ...(await databaseFindings(place, env))]
}

function newDatabase(file: string): Finding {
  const fault = writeFault(dirname(file))
  return fault === undefined ? found('database', 'note', 'the first run creates it') : found('database', 'fail', fault)
}
