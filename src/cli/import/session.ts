import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { portions } from '../../capture/hook/owed-diffs.ts'
import { createPastDiffs, type PastDiffs } from '../../capture/work/past-diffs.ts'
import { pathsOf } from '../../capture/work/placed.ts'
import { type Client, ConductError, type Output } from '../../client/client.ts'
import { unlessMissing } from '../../contract/error.ts'
import { mask, maskDeep } from '../../mask/mask.ts'
import { authorOf } from '../../place/git/guarded.ts'
import { topOf } from '../../place/git/repository.ts'
import { projectOf } from '../../place/project.ts'
import { recordRules } from '../../place/rules.ts'
import { budget } from '../../recorder/agents/lines.ts'
import { readTranscript } from '../../recorder/agents/transcript.ts'
import { cut, failureAfter, mostFiles } from '../../recorder/agents/turn.ts'
import { type PastTurn, turnsOf } from '../../recorder/past.ts'
import type { TranscriptReader } from '../../recorder/transcripts/moment.ts'
import type { RecordRules } from '../../recorder/trees.ts'
import { titleOf } from '../../recorder/turn.ts'
import { type FoundSession, newestWrite } from './find.ts'
import type { ImportTarget } from './ledger.ts'
import type { Reporter } from './report.ts'

/** An agent whose transcripts can be imported. */
export interface TranscriptSource {
  /** Its name in the command, and in the label of its runs. */
  name: 'claude' | 'codex'
  /** Its name in the ledger. */
  agent: string
  moments: TranscriptReader
}

export interface Wishes {
  dryRun: boolean
  /** Only sessions that began then or later, in milliseconds since 1970. */
  since?: number | undefined
  /** Only sessions of this project. */
  project?: string | undefined
  /** The project of sessions whose folder is gone. */
  goneTo?: string | undefined
}

type Run = Output<'listRuns'>['runs'][number]

/** The facts about the folder in which a session ran. */
interface Folder {
  cwd: string
  project: string
  rules: RecordRules
  author: string | undefined
  /** The top of its working tree. */
  root: string | undefined
}

/** A session that was written to within this many milliseconds may still be running. */
const quietMs = 600_000

/** Imports a session, or its new turns. Throws the errors of the ledger, and if the transcript cannot be read. */
export async function importSession(
  target: ImportTarget,
  source: TranscriptSource,
  found: FoundSession,
  { report, wishes }: { report: Reporter; wishes: Wishes },
) {
  // It may have any size, and take as long as it needs.
  const left = { ...budget(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY), contents: true as const }
  const turns = turnsOf(source.moments(found.file, found.subagents, report.pass, left), mask)
  let into: Into | undefined
  let n = 0
  for await (const past of turns) {
    // Read after the turn: the session may have gone on since it was found.
    if (past.isOpen && Date.now() - (await newestWrite(found)) < quietMs) {
      report.pass(found.file, undefined, 'its last turn may not have ended: import it again later')
      report.count('turns that may not have ended')
      break
    }
    into ??= await begin(target, source, found, past, { report, wishes })
    if (!into) return
    n += 1
    await add(into, past, n, report)
  }
  if (into) await end(into, source, found)
  else if (n === 0) report.count('sessions without a whole turn')
}

/** The run that receives a session. */
interface Into {
  client: Client
  folder: Folder
  dryRun: boolean
  /** Undefined in a dry run for a session that is new. */
  run: Run | undefined
  /** The number of turns that it already has. */
  has: number
  last?: PastTurn
  /** The files of its turns so far, and whether a turn has more than it lists. */
  files: Set<string>
  isCut: boolean
  diffs: PastDiffs
}

async function begin(
  target: ImportTarget,
  source: TranscriptSource,
  found: FoundSession,
  first: PastTurn,
  { report, wishes }: { report: Reporter; wishes: Wishes },
): Promise<Into | undefined> {
  const startedAt = first.turn.startedAt as string
  if (wishes.since !== undefined && Date.parse(startedAt) < wishes.since) {
    report.count('sessions that began earlier')
    return undefined
  }
  const folder = folderOf(first.session.cwd, wishes)
  if (typeof folder === 'string') {
    report.pass(found.file, undefined, folder)
    return undefined
  }
  if (wishes.project !== undefined && wishes.project !== folder.project) {
    report.count('sessions of other projects')
    return undefined
  }
  const runs = await runsOf(target, source.agent, found.session)
  const own = runs.find((run) => isImportedBy(source, run))
  if (runs.some((run) => run !== own)) {
    report.count('sessions already recorded')
    return undefined
  }
  const { dryRun } = wishes
  if (!own && !dryRun) await target.ensure(folder.project)
  const client = target.in(own?.project ?? folder.project)
  const run = own ?? (dryRun ? undefined : await create(client, source, found, first, folder))
  report.count(own ? 'sessions imported before' : 'sessions')
  const has = own ? ((await client.getRun({ runId: own.runId })).run.turns?.count ?? 0) : 0
  return { client, folder, dryRun, run, has, files: new Set(), isCut: false, diffs: diffsIn(folder) }
}

const diffsIn = ({ root, cwd, rules }: Folder) => createPastDiffs({ root, cwd, isWithheld: !rules.changes })

/** Whether a run of that agent came from its import. The value of a label may be erased, its name is not. */
const isImportedBy = ({ name }: TranscriptSource, { labels, erasedAt }: Run) =>
  labels.imported === name || (erasedAt !== undefined && labels.imported !== undefined)

async function runsOf({ client }: ImportTarget, agent: string, session: string): Promise<Run[]> {
  const runs: Run[] = []
  for await (const run of client.all('listRuns', { session, limit: 100 })) if (run.agent === agent) runs.push(run)
  return runs
}

/** The folder's facts, or the reason why it has no project. */
function folderOf(cwd: string | undefined, { goneTo }: Wishes): Folder | string {
  if (cwd === undefined) return 'it names no folder, so its project is unknown'
  if (!existsSync(cwd)) {
    if (goneTo === undefined)
      return `its folder ${cwd} no longer exists, so its project is unknown: name one with --gone-to <slug>`
    return {
      cwd,
      project: goneTo,
      rules: { answers: true, prompts: true, changes: true },
      author: undefined,
      root: undefined,
    }
  }
  try {
    return { cwd, project: projectOf(cwd), rules: recordRules(cwd), author: authorOf(cwd), root: topOf(cwd) }
  } catch (error) {
    return (error as Error).message
  }
}

async function create(
  client: Client,
  source: TranscriptSource,
  { session }: FoundSession,
  first: PastTurn,
  folder: Folder,
): Promise<Run> {
  const { branch, base, version } = first.session
  const { startedAt } = first.turn
  const [cwd, author] = [cut(folder.cwd, 1_000), cut(folder.author, 200)]
  const input = {
    title: titleOf(folder.rules, first.turn.prompt, source.agent),
    agent: source.agent,
    ...(version !== undefined && { agentVersion: version }),
    ...(author && { author }),
    where: { host: hostname(), ...(cwd && { cwd }), session },
    ...((branch || base) && { git: await maskDeep({ ...(branch && { branch }), ...(base && { base }) }) }),
    labels: { imported: source.name },
    // The session ended long ago. If this import is interrupted, the next one sees it by the end, and adds what is missing.
    status: 'completed' as const,
    ...{ createdAt: startedAt, startedAt, endedAt: startedAt },
  }
  // Two concurrent imports create one run.
  let idempotencyKey = `import-${source.name}-${session}`
  for (;;) {
    const { run } = await client.createRun(input, { idempotencyKey })
    if (await isThere(client, run)) return run as Run
    // The server repeats its response for a day, even if somebody has deleted the run.
    idempotencyKey += `-${run.id}`
  }
}

const isThere = async (client: Client, { id, runId }: Pick<Run, 'id' | 'runId'>): Promise<boolean> =>
  (await client.getRun({ runId }).catch(unlessMissing))?.run.id === id

async function add(into: Into, past: PastTurn, n: number, report: Reporter) {
  into.last = past
  const files = pathsOf(into.folder.root, into.folder.cwd, past.files)
  for (const path of files) into.files.add(path)
  into.isCut ||= files.length > mostFiles
  const makeDiffs = into.diffs.next(past.written, past.files, past.session.base)
  const { client, run, dryRun } = into
  const isThere = n <= into.has
  if (!isThere) report.count('turns')
  if (dryRun || !run) return
  if (!isThere) await addTurn(into, run, past, n, files)
  else if (n < into.has || isWhole(run, past)) return
  for (const diffs of portions(await makeDiffs())) {
    await client.addDiffs({ runId: run.runId, turn: n, diffs }).catch((error) => {
      // The interrupted import has added them, with other masks if its version was another.
      if (!isThere || !(error instanceof ConductError) || error.code !== 'CONFLICT') throw error
    })
  }
}

/** Whether an import ended after that turn, the last of the run: nothing is missing. Nothing comes back to an erased run. */
const isWhole = ({ endedAt, erasedAt }: Run, { turn }: PastTurn) => endedAt === turn.endedAt || erasedAt !== undefined

async function addTurn({ client, folder, ...into }: Into, { runId }: Run, past: PastTurn, n: number, files: string[]) {
  const { rules } = folder
  const { branch } = past.session
  const texts = { ...(!rules.answers && { answer: undefined }), ...(!rules.prompts && { prompt: undefined }) }
  const named = await maskDeep({
    ...(files.length > 0 && { files: files.slice(0, mostFiles).map((path) => ({ path })) }),
    ...(branch && { git: { branch } }),
  })
  await client.appendTurn({
    runId,
    n,
    ...past.turn,
    ...texts,
    ...named,
    ...(files.length > mostFiles && { filesOmitted: files.length - mostFiles }),
    ...(into.isCut && { changes: { files: into.files.size } }),
  })
}

/** Ends the run as its last turn ended, with the totals at the end of the transcript. */
async function end(
  { client, run, dryRun, last, has }: Into,
  { agent }: TranscriptSource,
  { file, subagents }: FoundSession,
) {
  if (dryRun || !run || !last) return
  const { endedAt, failure: failed, interrupted } = last.turn
  const { run: now } = await client.getRun({ runId: run.runId })
  const isNew = has < (now.turns?.count ?? 0) || now.endedAt !== endedAt
  if (!isNew) return
  const whole = await readTranscript(agent, file, subagents).catch(() => undefined)
  const failure = failureAfter(failed, interrupted)
  await client.updateRun({
    runId: run.runId,
    ...(failure ? { status: 'failed' as const, failure } : { status: 'completed' as const }),
    endedAt,
    ...(whole?.usage && { usage: whole.usage }),
  })
}
