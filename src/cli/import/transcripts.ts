import { existsSync } from 'node:fs'
import { Command, InvalidArgumentError } from 'commander'
import { stateFile, stateOf } from '../../capture/spool/state-file.ts'
import { ConductError } from '../../client/client.ts'
import { midnightOf, spanMsOf } from '../../contract/ago.ts'
import { placeOf } from '../../place/connect.ts'
import type { Env } from '../../place/folders.ts'
import { type Place, sameLedger } from '../../place/place.ts'
import { claudeMoments } from '../../recorder/agents/claude/transcript.ts'
import { codexMoments } from '../../recorder/agents/codex/transcript.ts'
import type { SkipReport } from '../../recorder/transcripts/moment.ts'
import { whileWaiting } from '../../terminal/interactive.ts'
import { addExamples, addPlace, type Common } from '../../terminal/option.ts'
import { claudeSessions, codexSessions, type FoundSession, transcriptFolders } from './find.ts'
import { type ImportTarget, openTarget, requireAdmin } from './ledger.ts'
import { createReporter, print, type Reporter } from './report.ts'
import { importSession, type TranscriptSource, type Wishes } from './session.ts'

interface Options extends Common {
  since?: number
  goneTo?: string
  dryRun?: boolean
}

const sources = {
  claude: {
    name: 'claude',
    agent: 'claude-code',
    moments: claudeMoments,
    find: claudeSessions,
    called: 'Claude Code',
  },
  codex: { name: 'codex', agent: 'codex', moments: codexMoments, find: codexSessions, called: 'Codex' },
} as const satisfies Record<
  string,
  TranscriptSource & { find(folder: string, pass: SkipReport): Promise<FoundSession[]>; called: string }
>

type Name = keyof typeof sources

/** `conduct import claude` and `conduct import codex`: import the sessions on this machine. */
export function transcriptsCommand(name: Name): Command {
  const { called } = sources[name]
  const command = new Command(name).description(`Import the sessions of ${called} on this machine`)
  command.option(
    '--since <time>',
    'only sessions that began then or later: 2026-01-31, or 30d for the last 30 days',
    readSince,
  )
  command.option('--project <slug>', 'only sessions of this project')
  command.option('--gone-to <slug>', 'the project for sessions whose folder no longer exists')
  command.option('--dry-run', 'count what is new, and write nothing')
  command.option('--json', 'as JSON')
  addPlace(command, true)
  addExamples(command, [`conduct import ${name} --dry-run`, `conduct import ${name} --since 30d`])
  return command.action((options: Options) => run(name, options))
}

async function run(name: Name, { since, project, goneTo, dryRun = false, ...options }: Options): Promise<void> {
  const { env } = process
  const place = { ...placeOf({ profile: options.profile }, env, process.cwd()), project: undefined }
  const reporter = createReporter(dryRun, { sessions: 0, turns: 0 })
  const waiting = waitingSessions(sources[name].agent, place, env)
  const found = (await findAll(name, env, reporter)).filter(({ session, file }) => {
    if (waiting.has(session))
      reporter.pass(file, undefined, 'its hooks recorded it, which is not sent yet: conduct sync')
    return !waiting.has(session)
  })
  await using target = await openTarget(place, env)
  if (!dryRun) await requireAdmin(target, place)
  await importAll(target, name, found, { report: reporter, wishes: { dryRun, since, project, goneTo } })
  print(reporter.report, options)
}

async function findAll(name: Name, env: Env, { pass }: Reporter): Promise<FoundSession[]> {
  const folder = transcriptFolders[name](env)
  return sources[name].find(folder, pass).catch((error: NodeJS.ErrnoException) => {
    const where = name === 'claude' ? 'CLAUDE_CONFIG_DIR' : 'CODEX_HOME'
    pass(folder, undefined, `cannot be read (${error.code ?? error.message}); set ${where} for another folder`)
    return []
  })
}

async function importAll(
  target: ImportTarget,
  name: Name,
  found: FoundSession[],
  context: { report: Reporter; wishes: Wishes },
) {
  let done = 0
  const work = async () => {
    for (const one of found) {
      await importSession(target, sources[name], one, context).catch((error: unknown) => {
        if (!(error instanceof Error) || isOfAll(error)) throw error
        context.report.pass(one.file, undefined, error.message)
      })
      done += 1
    }
  }
  await whileWaiting(() => `Imported ${done} of ${found.length} sessions`, work())
}

/** Whether the next session would fail in the same way. */
const isOfAll = (error: Error) =>
  error instanceof ConductError &&
  [
    'UNAUTHORIZED',
    'FORBIDDEN',
    'UNAVAILABLE',
    'RATE_LIMIT_EXCEEDED',
    'INTERNAL_ERROR',
    'INSUFFICIENT_STORAGE',
  ].includes(error.code)

/** Parses a time into milliseconds since 1970: a date, a date with a time, or a number of hours, days or weeks ago. */
function readSince(text: string): number {
  const spanMs = spanMsOf(text)
  if (spanMs !== undefined) return Date.now() - spanMs
  const at = midnightOf(text)?.getTime() ?? (/^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN)
  if (Number.isNaN(at))
    throw new InvalidArgumentError(`It must be like 2026-01-31, 2026-01-31T09:30:00Z or 30d, not '${text}'.`)
  return at
}

/** The ids of sessions of an agent that hooks on this machine recorded for that ledger, which does not have their runs yet. */
function waitingSessions(agent: string, place: Place, env: Env): Set<string> {
  if (!existsSync(stateFile(env))) return new Set()
  using state = stateOf(env)
  const names = new Set([...state.unsent().map(({ name }) => name), ...state.noted()])
  const recordings = [...names].flatMap((name) => state.find(name) ?? [])
  const waiting = recordings.filter((one) => one.agent === agent && one.runId === null && sameLedger(one.place, place))
  return new Set(waiting.flatMap(({ session }) => session ?? []))
}
