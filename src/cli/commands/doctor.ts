import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { styleText } from 'node:util'
import { Command } from 'commander'
import { unknownSettings } from '../../setting.ts'
import { isMissing, noProject, tries } from '../operation/call.ts'
import { addCommon, addExamples, type Common } from '../option.ts'
import { connect, type LocalPlace, type Place, placeOf, shownPlace } from '../place/connect.ts'
import { folders } from '../place/folders.ts'
import { keyOf, readProfiles } from '../place/profile.ts'
import { checkRules, recordRules } from '../place/rules.ts'
import { reach } from '../reach.ts'
import { stateFile } from '../record/state.ts'
import { unsentOf, unsentWords } from '../record/unsent.ts'
import { printJson, shown } from '../show/print.ts'
import { whileWaiting } from '../show/progress.ts'
import { clean } from '../show/text.ts'
import { agentFindings } from './doctor-agents.ts'
import { databaseFindings } from './doctor-database.ts'
import { privacy, stateFolder, writeFault } from './doctor-folder.ts'
import { logFindings } from './doctor-log.ts'
import { stateFindings } from './doctor-server.ts'
import { type Finding, found } from './finding.ts'
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
  const findings = [
    ...here(),
    ...looking('settings', () => rules(cwd)),
    ...looking('hooks', () => agentFindings(env, cwd)),
  ]
  const place = looked('ledger', findings, () => placeOf(options, env, cwd))
  if (place) {
    const work = place.kind === 'local' ? databaseOf(place) : serverOf(place)
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

/** What can be checked on this machine alone. */
function here(): Finding[] {
  const unknown = unknownSettings(env)
  return [
    found('node', 'ok', `${process.versions.node}, ${process.execPath}`),
    found('sqlite', 'ok', process.versions.sqlite ?? ''),
    ...unknown.map((fault) => found('settings', 'warn', fault)),
    ...looking('profiles', profiles),
    privacy('config', folders.config(env)),
    stateFolder(folders.state(env)),
    ...looking('unsent', unsent),
  ]
}

/** Checks what conduct.json says about recording. */
function rules(cwd: string): Finding[] {
  checkRules(cwd)
  recordRules(cwd)
  return []
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
  if (file !== undefined) findings.push(privacy('data', file))
  return [...findings, ...(await databaseFindings(place, env))]
}

function newDatabase(file: string): Finding {
  const fault = writeFault(dirname(file))
  return fault === undefined ? found('database', 'note', 'the first run creates it') : found('database', 'fail', fault)
}

async function serverOf(place: Place & { kind: 'server' }): Promise<Finding[]> {
  const findings = [await answering(place.url)]
  if (findings[0]?.state === 'fail') return findings
  const { client } = await connect({ ...place, project: undefined }, env, tries)
  const ask = async (about: string, look: () => Promise<Finding[]>) =>
    findings.push(...(await look().catch((error: Error) => [found(about, 'fail', error.message)])))
  await ask('key', async () => {
    const { key, permissions } = await client.me()
    return [found('key', 'ok', `${key?.name} may ${permissions.join(', ')}`), ...expiry(key?.expiresAt)]
  })
  const slug = place.project
  if (slug !== undefined) {
    await ask('project', async () => {
      const { project } = await client.getProject({ slug }).catch((error: unknown) => {
        throw isMissing(error) ? new Error(noProject(slug)) : error
      })
      return [found('project', 'ok', project.slug)]
    })
  }
  await ask('database', () => stateFindings(place.url, keyOf(place.profile, env), client.me))
  await ask('log', () => logFindings(client, place.url, env))
  return findings
}

/** Keys that expire within this many days are reported. */
const soonDays = 14

function expiry(expiresAt: string | null | undefined): Finding[] {
  if (!expiresAt) return []
  const isSoon = Date.parse(expiresAt) - Date.now() < soonDays * 86_400_000
  return [found('key', isSoon ? 'warn' : 'ok', `expires ${shown(expiresAt)}`)]
}

/** The tolerated difference between clocks, in seconds. The Date of a response is exact to one second. */
const clockSeconds = 5

async function answering(url: string): Promise<Finding> {
  try {
    const { version, ahead } = await reach(url)
    const words = `${url} runs Conduct ${version}`
    if (Math.abs(ahead) <= clockSeconds) return found('server', 'ok', words)
    return found('server', 'warn', `${words}; its clock is ${Math.abs(ahead)} s ${ahead > 0 ? 'ahead' : 'behind'}`)
  } catch (error) {
    return found(
      'server',
      'fail',
      `${url}: ${(error as Error).message}; is the address right, and does it include the base path?`,
    )
  }
}
