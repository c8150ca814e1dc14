import { existsSync } from 'node:fs'
import { Command } from 'commander'
import type { Client } from '../client/client.ts'
import type { Output } from '../routes.ts'
import { withClient } from './call.ts'
import { localProfile, type Place, placeOf, shownPlace } from './connect.ts'
import { addCommon, type Common } from './option.ts'
import { listPrinter, pairs, shown } from './print.ts'
import { whileWaiting } from './progress.ts'

/** `conduct status`: where the ledger is, whose key is used and what runs now. Bare `conduct` prints it too. */
export function statusCommand(): Command {
  const command = new Command('status').description('Tell where the ledger is, whose key is used and what runs now')
  addCommon(command)
  return command.action((options: Common) => status(options))
}

/** The database file of a place that does not exist yet; asking would make it. */
export function missingFile(place: Place): string | undefined {
  if (place.kind === 'server' || !place.databaseUrl.startsWith('sqlite:')) return undefined
  const file = place.databaseUrl.slice('sqlite:'.length)
  return file === ':memory:' || existsSync(file) ? undefined : file
}

async function status(options: Common) {
  const { profile, project, json } = options
  const place = placeOf({ profile, inProject: project }, process.env, process.cwd())
  if (missingFile(place) !== undefined) return report(place, undefined, options)
  await withClient(place, async (client) => {
    const told = await whileWaiting(`Waiting for ${shownPlace(place)}`, ask(client))
    if (json) process.stdout.write(`${JSON.stringify({ place: plain(place), ...told }, null, 2)}\n`)
    else report(place, told, options)
  })
}

interface Told {
  me: Output<'me'>
  running: Output<'listRuns'>
}

async function ask(client: Client): Promise<Told> {
  const [me, running] = await Promise.all([client.me(), client.listRuns({ status: ['in_progress'], limit: 10 })])
  return { me, running }
}

const plain = (place: Place) => ({ kind: place.kind, ledger: shownPlace(place), project: place.project ?? null })

function report(place: Place, told: Told | undefined, options: Common) {
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ place: plain(place), me: null, running: null }, null, 2)}\n`)
    return
  }
  const from = place.kind === 'server' ? (place.profile ?? 'CONDUCT_URL') : localProfile
  const { key, permissions } = told?.me ?? { key: null, permissions: [] }
  const expires = key?.expiresAt ? `, expires ${shown(key.expiresAt, options.utc)}` : ''
  const lines: [string, string][] = [
    ['ledger', `${shownPlace(place)} (${from})`],
    ['project', place.project ?? key?.project ?? (place.kind === 'server' ? 'default' : '')],
    ['key', key ? `${key.name} (${key.prefix}…), ${permissions.join(', ')}${expires}` : told ? 'none needed here' : ''],
    [
      'running',
      told ? (told.running.runs.length === 0 ? 'nothing' : '') : 'nothing; the database is made with the first run',
    ],
  ]
  process.stdout.write(`${pairs(lines)}\n`)
  if (told && told.running.runs.length > 0) {
    process.stdout.write('\n')
    listPrinter(options)({ runs: told.running.runs })
  }
}
