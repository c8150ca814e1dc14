import { existsSync } from 'node:fs'
import { Command } from 'commander'
import { heardAgents, missedHook, missedWords, titleOf } from '../../capture/hook/heard.ts'
import { unsentOf, unsentWords } from '../../capture/spool/unsent.ts'
import { type Client, ConductError, type Input } from '../../client/client.ts'
import { unlessMissing } from '../../contract/error.ts'
import type { Output } from '../../operations/routes.ts'
import { localProfile, type Place, placeOf, shownPlace } from '../../place/connect.ts'
import { UnreachableError } from '../../terminal/exit.ts'
import { whileWaiting } from '../../terminal/interactive.ts'
import { addCommon, addExamples, type Common } from '../../terminal/option.ts'
import { line } from '../../text/clean.ts'
import { noLedger, reach, withClient } from '../operation/call.ts'
import { listPrinter, pairs, printJson, shown } from '../show/print.ts'
import { stateFault } from './doctor-folder.ts'

/**
 * `conduct status`: shows where the ledger is, whose key is in use and what runs now. `conduct` without words prints
 * it, too.
 */
export function statusCommand(): Command {
  const command = new Command('status').description('Show the ledger and key in use, and the live runs')
  addCommon(command)
  addExamples(command, ['conduct status', 'conduct status --json'])
  return command.action((options: Common) => status(options))
}

/** The database file of a place if it does not exist yet. Connecting would create it. */
export function missingFile(place: Place): string | undefined {
  if (place.kind === 'server' || !place.databaseUrl.startsWith('sqlite:')) return undefined
  const file = place.databaseUrl.slice('sqlite:'.length)
  return file === ':memory:' || existsSync(file) ? undefined : file
}

/** What the ledger returned; empty if there is no database, without a list if there is no such project. */
interface LedgerStatus {
  me: Output<'me'> | null
  running: Output<'listRuns'> | null
}

async function status(options: Common) {
  const place = placeOf(options, process.env, process.cwd())
  if (missingFile(place) !== undefined) return report(place, { me: null, running: null }, options)
  try {
    // Reading about a project must not create it.
    await withClient({ ...place, project: undefined }, async (client) => {
      report(place, await whileWaiting(`Waiting for ${shownPlace(place)}`, ask(client, place.project)), options)
    })
  } catch (error) {
    if (!options.json && !options.quiet) process.stdout.write(`${pairs(knownLines(place, options))}\n`)
    throw await reasonOf(place, error)
  }
}

/** What this machine knows without the ledger. */
const knownLines = (place: Place, { utc }: Common): [name: string, value: string][] => [
  ['ledger', ledgerText(place)],
  ['project', place.project ?? ''],
  ...stateLines(utc),
]

/** Why the ledger returned no status: no ledger may be at that address. */
async function reasonOf(place: Place, error: unknown): Promise<unknown> {
  const isElsewhere = error instanceof ConductError && ['NOT_FOUND', 'INTERNAL_ERROR'].includes(error.code)
  if (place.kind === 'local' || !isElsewhere) return error
  return reach(place.url).then(
    () => error,
    (cause: Error) => new UnreachableError(noLedger(place.url, cause)),
  )
}

async function ask(client: Client, project: string | undefined): Promise<LedgerStatus> {
  const running: Input<'listRuns'> = {
    status: ['in_progress'],
    limit: 10,
    ...(project !== undefined && { project: [project] }),
  }
  const [me, runs = null] = await Promise.all([client.me(), client.listRuns(running).catch(unlessMissing)])
  return { me, running: runs }
}

function report(place: Place, answers: LedgerStatus, options: Common) {
  const { kind, project = null } = place
  if (options.json) {
    printJson({ place: { kind, ledger: shownPlace(place), project }, ...answers })
    return
  }
  const runs = answers.running?.runs ?? []
  if (!options.quiet) {
    process.stdout.write(`${pairs(linesOf(place, answers, options))}\n${runs.length > 0 ? '\n' : ''}`)
  }
  if (runs.length > 0) listPrinter(options)({ runs })
}

function linesOf(place: Place, { me, running }: LedgerStatus, { utc }: Common): [name: string, value: string][] {
  const isServer = place.kind === 'server'
  const key = me?.key
  const expires = key?.expiresAt ? `, expires ${shown(key.expiresAt, utc)}` : ''
  const project = place.project ?? key?.project ?? (isServer ? 'default' : '')
  const isNew = me !== null && running === null
  const howMade = isServer ? `to create it: conduct project create --slug ${project}` : 'the first run creates it'
  return [
    ['ledger', ledgerText(place)],
    ['project', line(isNew ? `${project}, which does not exist yet; ${howMade}` : project)],
    ['key', key ? line(`${key.name} (${key.prefix}…), ${me.permissions.join(', ')}${expires}`) : 'not needed here'],
    ['running', runningText(me, running)],
    ...stateLines(utc),
  ]
}

/** The ledger, and what selects it. */
const ledgerText = (place: Place) =>
  line(`${shownPlace(place)} (${place.kind === 'server' ? (place.profile ?? 'CONDUCT_URL') : localProfile})`)

/** What this machine recorded, and whether it can. */
function stateLines(utc: boolean | undefined): [name: string, value: string][] {
  const fault = stateFault(process.env)
  return fault === undefined ? [...heardLines(utc), ...unsentLines()] : [['state', line(fault)]]
}

/** When each agent last called a hook on this machine, and the last call that failed. */
function heardLines(utc: boolean | undefined): [name: string, value: string][] {
  const heard = heardAgents(process.env)
  const missed = missedHook(process.env, heard)
  const when = (at: number) => shown(new Date(at).toISOString(), utc)
  const agents = heard.map(({ agent, at }) => line(`${titleOf(agent)} ${when(at)}`))
  return [
    ['heard', agents.join(', ')],
    ['missed', missed ? line(`${when(missed.at)} ${missedWords(missed)}`) : ''],
  ]
}

/** What is still to be sent from this machine, and what was refused; empty if everything is sent. */
function unsentLines(): [name: string, value: string][] {
  const { waits, refusals } = unsentWords(unsentOf(process.env))
  return [...waits, ...refusals].map((words) => ['unsent', line(words)])
}

function runningText(me: LedgerStatus['me'], running: LedgerStatus['running']): string {
  if (me === null) return 'nothing; the first run creates the database'
  return running?.runs.length ? '' : 'nothing'
}
