import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Client, ClientOptions } from '../client/client.ts'
import type { Actor } from '../contract/actor.ts'
import { ConductError } from '../contract/error.ts'
import type { BackupState } from '../engine/sqlite/backups.ts'
import type { ImportOptions } from '../export/import.ts'
import type { Condition } from '../operations/health.ts'
import { SettingError, UsageError } from '../terminal/exit.ts'
import type { Env } from './folders.ts'
import type { LocalPlace, Place } from './place.ts'
import { addressIn, keyMarkOf, keyOf, readProfiles } from './profile.ts'
import { declaredProject, projectOf } from './project.ts'
import { refusePassword, type Settings, settings, withoutPassword } from './setting.ts'

export type { Copied, CopyStep } from '../engine/sqlite/copy.ts'
export type { LocalPlace, Place }

/** The name that selects the database of this machine. No profile can have it. */
export const localProfile = 'local'

/** What the flags of a command say about the place. Each wins over the environment. */
export interface PlaceOptions {
  profile?: string | undefined
  /** The project to act in. */
  project?: string | undefined
}

/** How long and how often the client tries to reach a server. */
type Tries = Pick<ClientOptions, 'attempts' | 'timeout' | 'patience'>

interface ConnectOptions extends Tries {
  /**
   * Whether to create a missing project of the local database at once. By default, only if neither flag nor environment
   * named it, because a name may be mistyped; the first record in it then creates it.
   */
  createsProject?: boolean
}

export interface Connection extends AsyncDisposable {
  client: Client
  place: Place
  /** Closes the database; does nothing for a server. */
  close(): Promise<void>
}

/**
 * The place that flags, environment, profiles and folder select: the profile of the flag (`local` is the database of
 * this machine), else CONDUCT_URL, else the profile in use, else the local database. Throws a UsageError for a profile
 * that does not exist, and a SettingError for a wrong variable.
 */
export function placeOf({ profile, project: chosen }: PlaceOptions, env: Env, cwd: string): Place {
  const project = chosen ?? (env.CONDUCT_PROJECT || undefined)
  const { current, profiles } = readProfiles(env)
  const name = profile ?? (env.CONDUCT_URL ? undefined : current)
  if (name === localProfile || (name === undefined && !env.CONDUCT_URL)) {
    const databaseUrl = databaseUrlOf(env, cwd)
    if (project === undefined) return { kind: 'local', databaseUrl, project: projectOf(cwd) }
    return { kind: 'local', databaseUrl, project, isNamed: true }
  }
  const known = name === undefined ? undefined : profiles[name]
  if (name !== undefined && !known) {
    throw new UsageError(
      `There is no profile '${name}'. There are: ${[localProfile, ...Object.keys(profiles)].join(', ')}. To add one: conduct profile add`,
    )
  }
  const url = known?.url ?? addressIn(env.CONDUCT_URL as string)
  // The server need not have a project that we only guessed.
  const where = { url, profile: name, project: project ?? declaredProject(cwd) ?? known?.project }
  const keyMark = known ? undefined : keyMarkOf(env)
  return { kind: 'server', ...where, ...(keyMark !== undefined && { keyMark }) }
}

/**
 * The URL of the local database. A relative path is resolved against `cwd`, so it means the same file wherever it is
 * opened.
 */
export const databaseUrlOf = (env: Env, cwd: string): string => resolved(read('databaseUrl', env), cwd)

function resolved(url: string, cwd: string): string {
  const file = url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : ':memory:'
  return file === ':memory:' ? url : `sqlite:${resolve(cwd, file)}`
}

/** The same of the flag `--database-url`. Throws a UsageError if it is wrong or contains a password. */
export function databaseUrlIn(flag: string, cwd: string): string {
  try {
    refusePassword(flag)
    return resolved(settings.databaseUrl.read(flag), cwd)
  } catch (error) {
    throw new UsageError(`--database-url ${(error as Error).message}`)
  }
}

/** The most bytes of a content in the local database. */
export const contentLimitOf = (env: Env) => read('contentLimit', env)

/** A place as messages show it. */
export const shownPlace = (place: Place) => (place.kind === 'server' ? place.url : withoutPassword(place.databaseUrl))

function read<N extends keyof Settings>(name: N, env: Env): Settings[N] {
  const { env: variable, fallback, read } = settings[name]
  try {
    return read(env[variable] || fallback)
  } catch (error) {
    throw new SettingError(`${variable} ${(error as Error).message}`)
  }
}

/** Throws NOT_FOUND if that place is a file that does not exist. To open it would create a ledger. */
export function requireLedger(place: Place): void {
  const path = place.kind === 'local' && /^sqlite:(?!:memory:)(.+)/s.exec(place.databaseUrl)?.[1]
  if (path && !existsSync(path)) throw new ConductError('NOT_FOUND', `There is no ledger at ${path}.`)
}

/** How a caller closes what it got: itself, or by `await using`. */
export const ending = (close: () => Promise<void>) => ({ close, [Symbol.asyncDispose]: close })

/** A client of that place, with the key of its profile or of CONDUCT_API_KEY. */
export async function connect(place: Place, env: Env, options: ConnectOptions = {}): Promise<Connection> {
  const { createsProject, ...tries } = options
  if (place.kind === 'local') return openLocal(place, env, createsProject)
  const { url, project, profile } = place
  const { createClient } = await client()
  return {
    client: createClient({ url, key: keyOf(profile, env), project, ...tries }),
    place,
    ...ending(async () => {}),
  }
}

/** Loaded on first use: a hook only asks where the place is, and does without. */
const client = () => import('../client/client.ts')

/** The address of a server started on this machine with these settings. */
export function localUrl(env: Env): string {
  const host = read('host', env)
  return `http://${host.includes(':') ? `[${host}]` : host}:${read('port', env)}${read('basePath', env)}`
}

/** Prints the progress of a migration, which may take minutes. */
const onProgress = (line: string) => process.stderr.write(`${line}\n`)

/** What a look at a database found. */
export interface Inspected {
  /** Why it accepts no writes. */
  fault: Error | undefined
  damaged: string[]
  risks: string[]
  /** Undefined where the damage does not let it be read. */
  condition: Condition | undefined
  /** Undefined where this environment has no folder for them. */
  backups: BackupState | undefined
}

/** Opens a database, writes to it and, if it is a file, reads all of it. Throws if it cannot be opened. */
export async function inspect(databaseUrl: string, env: Env): Promise<Inspected> {
  const [{ openStore }, { damages, readCondition, tryWrite }, { backupState }] = await Promise.all([
    import('../operations/open.ts'),
    import('../operations/health.ts'),
    import('../engine/sqlite/backups.ts'),
  ])
  const folder = read('backupDir', env)
  await using store = await openStore(databaseUrl, { firstKey: false, onProgress })
  const fault = await tryWrite(store).then(
    () => undefined,
    (error: Error) => error,
  )
  const damaged = await damages(store, databaseUrl)
  return {
    fault,
    damaged,
    risks: await store.db.risks(),
    condition: await readCondition(store).catch(() => undefined),
    backups: folder === undefined ? undefined : await backupState(folder, read('backupKeep', env), Date.now()),
  }
}

/** The functions that copy an SQLite ledger, loaded only by the commands that need them. */
export const copying = () => import('../engine/sqlite/backup.ts')

/** Fills the database at that URL with an export, as `importLedger` says. */
export async function importInto(databaseUrl: string, source: AsyncIterable<Uint8Array>, options: ImportOptions) {
  const [{ openDb }, { importLedger }] = await Promise.all([
    import('../operations/open.ts'),
    import('../export/import.ts'),
  ])
  const db = await openDb(databaseUrl, () => {}).catch(notOpened(databaseUrl))
  try {
    return await importLedger(db, source, options)
  } finally {
    await db.close()
  }
}

/** Turns an error of opening that database into UNAVAILABLE with the reason. */
export const notOpened = (databaseUrl: string) => (cause: Error & { cause?: Error }) => {
  throw new ConductError('UNAVAILABLE', `${withoutPassword(databaseUrl)} cannot be opened: ${reasonOf(cause)}`, {
    cause,
  })
}

/** Why a database cannot be opened. */
export const reasonOf = ({ message, cause }: Error & { cause?: unknown }) =>
  cause instanceof Error ? `${message} (${cause.message})` : message

async function openLocal(place: LocalPlace, env: Env, createsProject = !place.isNamed): Promise<Connection> {
  const [{ as, ...end }, { beforeRecords, ensureProject }] = await Promise.all([
    openLedger(place, env),
    import('./missing.ts'),
  ])
  const { project } = place
  const client = as({ project })
  if (project === undefined) return { client, place, ...end }
  const ensure = () => ensureProject(as({}), project)
  if (!createsProject) return { client: beforeRecords(client, ensure), place, ...end }
  await ensure().catch(async (error) => {
    await end.close()
    throw error
  })
  return { client, place, ...end }
}

/** A database open in this process. Its clients act as the local user, or as the key they are given. */
export interface OpenLedger extends AsyncDisposable {
  as(options: Pick<ClientOptions, 'key' | 'project'>): Client
  close(): Promise<void>
}

/**
 * Opens the database of that place. Writes get their times from `now` (Unix milliseconds), else from the database's
 * clock.
 */
export async function openLedger({ databaseUrl }: LocalPlace, env: Env, now?: () => number): Promise<OpenLedger> {
  // Loaded on first use: a client of a server does without.
  const [{ createClient }, { createApp }, { openStore, tidy }, { localActor }, { authorOf }] = await Promise.all([
    client(),
    import('../server/app.ts'),
    import('../operations/open.ts'),
    import('../contract/actor.ts'),
    import('./git/guarded.ts'),
  ])
  let person: string | null | undefined
  const actor: Actor = {
    ...localActor,
    // Few calls ask for it, and git takes some milliseconds.
    get person() {
      if (person === undefined) person = authorOf(process.cwd()) ?? null
      return person
    },
  }
  const contentLimit = read('contentLimit', env)
  const webhooks = { allow: read('webhookAllow', env) }
  const options = { firstKey: false, onProgress, ...(now && { now }) }
  const store = await openStore(databaseUrl, options).catch(notOpened(databaseUrl))
  const app = createApp({ store, actor, rateLimit: 0, contentLimit, webhooks })
  const close = async () => {
    // The command has done its work; a full disk or a busy file must not make it fail now.
    await tidy(store).catch(() => {})
    await store.close()
  }
  return {
    as: (options) =>
      createClient({ url: 'http://localhost/conduct', fetch: (request) => app.fetch(request), ...options }),
    ...ending(close),
  }
}
