import { statSync } from 'node:fs'
import { isCancel, password } from '@clack/prompts'
import { Command } from 'commander'
import { createClient } from '../../client/client.ts'
import { isMissing } from '../../contract/error.ts'
import { secretPattern } from '../../contract/secret.ts'
import { localProfile, placeOf, shownPlace } from '../../place/connect.ts'
import type { Env } from '../../place/folders.ts'
import { lacksProject, noProject } from '../../place/missing.ts'
import { addressFault, type Profiles, readProfiles, writeProfiles } from '../../place/profile.ts'
import { isShared } from '../../system/private.ts'
import { UsageError } from '../../terminal/exit.ts'
import { readText } from '../../terminal/file.ts'
import { asked, whileWaiting } from '../../terminal/interactive.ts'
import { addExamples } from '../../terminal/option.ts'
import { laidOut, widthOf } from '../../terminal/table.ts'
import { tries } from '../operation/call.ts'
import { pairs, printJson } from '../show/print.ts'

const { env } = process

/** `conduct profile`: the servers of this user, with a key for each. */
export function profileCommand(): Command {
  const command = new Command('profile')
  const add = command
    .command('add <name> <url>')
    .description('Save a server with its key, once the server has accepted the key')
    .option('--project <slug>', 'the project, if the folder does not name one')
    .option('--key-stdin', 'read the key from standard input')
    .option('--key-file <path>', 'read the key from a file that only its owner may read')
    .action(addProfile)
  addExamples(add, [
    'conduct profile add work https://ledger.example.com/conduct',
    'conduct profile add work https://ledger.example.com/conduct --key-file ~/.conduct-key',
  ])
  const list = command
    .command('list')
    .description('List the profiles; * marks the one in use')
    .option('--json', 'as JSON, without keys')
    .action(listProfiles)
  addExamples(list, ['conduct profile list'])
  const use = command
    .command('use <name>')
    .description('Use a profile from now on; local is the database of this machine')
    .action(useProfile)
  addExamples(use, ['conduct profile use work'])
  const remove = command.command('remove <name>').description('Remove a profile and its key').action(removeProfile)
  addExamples(remove, ['conduct profile remove work'])
  return command
}

async function addProfile(name: string, url: string, { project, ...source }: KeySource & { project?: string }) {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name) || name === localProfile) {
    throw new UsageError(`'${name}' cannot name a profile: use letters, digits and . _ -, and not 'local'.`)
  }
  const address = addressOf(url)
  const key = await askKey(source, env)
  const client = createClient({ url: address, key, ...tries })
  const asked = client.me().catch((error: unknown) => {
    throw isMissing(error)
      ? new UsageError(`${error.message} Is the base path missing, as in ${address}/conduct?`)
      : error
  })
  const { key: shownKey, permissions } = await whileWaiting(`Waiting for ${address}`, asked)
  const isNew = project !== undefined && (await lacksProject(client, project))
  const known = readProfiles(env)
  const profiles = { ...known.profiles, [name]: { url: address, key, ...(project !== undefined && { project }) } }
  const current = known.current ?? name
  writeProfiles(env, { current, profiles })
  process.stdout.write(
    `${pairs([
      ['profile', `${name}${current === name ? ', in use' : ''}`],
      ['url', address],
      ['key', shownKey?.name ?? ''],
      ['permissions', permissions.join(', ')],
      ['project', project ?? shownKey?.project ?? 'all'],
      ['expires', shownKey?.expiresAt ?? ''],
    ])}\n`,
  )
  if (current !== name)
    process.stderr.write(`${current} is still in use. To use the new one: conduct profile use ${name}\n`)
  if (isNew) process.stderr.write(`${noProject(project)} --profile ${name}\n`)
}

function addressOf(url: string): string {
  const fault = addressFault(url)
  if (fault !== undefined) throw new UsageError(fault)
  return new URL(url).href.replace(/\/$/, '')
}

function listProfiles({ json }: { json?: boolean }) {
  const { current, profiles } = readProfiles(env)
  const known = Object.entries(profiles).map(([name, { url, project }]) => ({ name, url, project }))
  const inUse = current ?? localProfile
  if (json) {
    printJson({ current: inUse, profiles: known })
    return
  }
  const local = shownPlace(placeOf({ profile: localProfile, project: '-' }, env, process.cwd()))
  const rows = [
    ['', 'PROFILE', 'URL', 'PROJECT'],
    ...[...known, { name: localProfile, url: local, project: undefined }].map(({ name, url, project }) => [
      name === inUse ? '*' : '',
      name,
      url,
      project ?? '',
    ]),
  ]
  const widths = [0, 1, 2, 3].map((at) => Math.max(1, ...rows.map((row) => widthOf(row[at] ?? ''))))
  process.stdout.write(`${laidOut(rows, widths)}\n`)
}

function known(name: string): Profiles {
  const found = readProfiles(env)
  if (found.profiles[name]) return found
  const names = [localProfile, ...Object.keys(found.profiles)]
  throw new UsageError(`There is no profile '${name}'. There are: ${names.join(', ')}.`)
}

function useProfile(name: string) {
  const { profiles } = name === localProfile ? readProfiles(env) : known(name)
  writeProfiles(env, { profiles, ...(name !== localProfile && { current: name }) })
  process.stdout.write(`Now using ${name}.\n`)
  if (env.CONDUCT_URL) process.stderr.write('CONDUCT_URL is set, and takes precedence.\n')
}

function removeProfile(name: string) {
  const { current, profiles } = known(name)
  const { [name]: _, ...rest } = profiles
  writeProfiles(env, { profiles: rest, ...(current !== name && { current }) })
  process.stdout.write(`Removed ${name}${current === name ? '; now using the local database' : ''}.\n`)
  process.stderr.write('Its key works until you revoke it: conduct key revoke\n')
}

interface KeySource {
  keyStdin?: boolean
  keyFile?: string
}

/**
 * Reads the key of a server in ways that other users of this machine cannot watch: from standard input, a file that
 * only its owner can read, CONDUCT_API_KEY, or a hidden prompt. Throws a UsageError that says what is wrong.
 */
async function askKey({ keyStdin, keyFile }: KeySource, env: Env): Promise<string> {
  const key = (await given(keyStdin, keyFile, env)).trim()
  if (secretPattern.test(key)) return key
  throw new UsageError(
    key === ''
      ? 'No key was given.'
      : 'That is not a key. A key is sk_agent_ (or another role) and 43 letters and digits; conduct key create creates one.',
  )
}

async function given(keyStdin: boolean | undefined, keyFile: string | undefined, env: Env): Promise<string> {
  if (keyStdin) return readText('-')
  if (keyFile !== undefined) return readPrivate(keyFile)
  if (env.CONDUCT_API_KEY) return env.CONDUCT_API_KEY
  if (!process.stdin.isTTY) {
    throw new UsageError(
      'A key is needed: set CONDUCT_API_KEY, pass --key-stdin or --key-file, or run this on a terminal, where you can type it.',
    )
  }
  const answer = await asked((signal) => password({ message: 'The key (sk_…)', output: process.stderr, signal }))
  if (isCancel(answer)) throw new UsageError('No key was given.')
  // An empty line leaves `answer` undefined.
  return answer ?? ''
}

async function readPrivate(path: string): Promise<string> {
  const text = await readText(path)
  if (isShared(statSync(path))) {
    throw new UsageError(
      `Other users can read ${path}: run chmod 600 ${path}, and revoke the key if anybody may have read it.`,
    )
  }
  return text
}
