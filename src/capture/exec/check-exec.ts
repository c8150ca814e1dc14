import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { firstBytes } from '../../contract/text.ts'
import { mask, maskDeep } from '../../mask/mask.ts'
import type { Git } from '../../nouns/run/work-fields.ts'
import { routes } from '../../operations/routes.ts'
import type { PlaceOptions } from '../../place/connect.ts'
import type { Env } from '../../place/folders.ts'
import { topOf } from '../../place/git/repository.ts'
import { gitFault, gitStateOf } from '../../place/git/tree.ts'
import { type Place, samePlace } from '../../place/place.ts'
import { here } from '../../system/system.ts'
import { UsageError } from '../../terminal/exit.ts'
import { addExamples, addPlace } from '../../terminal/option.ts'
import { commandLine } from '../../terminal/text.ts'
import { warnIfRewritten } from '../../verify/remember.ts'
import { settle } from '../hook/session.ts'
import { deliver } from '../spool/deliver.ts'
import { ancestorsOf } from '../spool/process.ts'
import { createRecorder, createSay } from '../spool/recorder.ts'
import type { Recording } from '../spool/recordings.ts'
import { patienceMs, reconnect } from '../spool/sender.ts'
import type { Spool } from '../spool/state.ts'
import { stateOrMemory } from '../spool/state-file.ts'
import { type EndedCheck, isByRule, pipelineOf, type SeenWork, seeing } from './check-seen.ts'
import { runChild } from './child.ts'
import { addToSession, whoseHere } from './in-session.ts'
import { createTail } from './lines.ts'
import { createOutput } from './output.ts'
import { placeToRecord, refuseFaults, runUnrecorded } from './start.ts'

interface CheckOptions extends PlaceOptions {
  name: string
  agent?: string
}

/** The most characters of output that a check keeps. */
const tailLength = 131_072

const say = createSay('conduct check exec')

/** A command that knows how many of its words were after `--`. */
class CommandWithDashes extends Command {
  behind: number | undefined

  override parseOptions(words: string[]) {
    const at = words.indexOf('--')
    this.behind = at < 0 ? undefined : words.length - at - 1
    return super.parseOptions(words)
  }
}

/** `conduct check exec`: runs a command and records it as a check of a run. */
export function checkExecCommand(): Command {
  const command = new CommandWithDashes('exec')
    .description('Run a command, and record it as a check: exit code 0 passes')
    .usage('[options] [run-id] -- <command...>')
    .argument('[run-id]', 'the run to check (default: the run of the session)')
    .argument('[command...]', 'the command and its arguments')
    .option('--name <name>', 'the name of the check: a pass clears an earlier failure of the same name', 'check')
    .option('--agent <name>', 'who checks')
    .addHelpText('after', '\nExits with the exit code of the command.')
    .action(async (first: string | undefined, rest: string[], options: CheckOptions) => {
      const { runId, words } = parted([...(first === undefined ? [] : [first]), ...rest], command.behind)
      process.exitCode = await checkExec(runId, words, options, command)
    })
  addPlace(command)
  return addExamples(command, ['conduct check exec RUN-001 --name tests -- npm test'])
}

/** The run before `--`, and the command after it. Without `--`, nobody knows whether the first word is a run. */
function parted(all: string[], behind: number | undefined): { runId: string | undefined; words: string[] } {
  if (behind === undefined && all.length > 1) {
    const quoted = here === 'windows' ? ", which PowerShell drops unless you write '--'" : ''
    throw new UsageError(`Put -- before the command${quoted}: conduct check exec -- ${commandLine(all)}`)
  }
  const words = behind ? all.slice(-behind) : []
  const [runId, ...more] = all.slice(0, all.length - words.length)
  if (more.length > 0) throw new UsageError(`Only one run id may come before --; leave out '${more.join(' ')}'.`)
  if (words.length === 0) throw new UsageError('There is no command to run: conduct check exec -- npm test')
  return { runId, words }
}

/** Where the check belongs: to the named run, to the recording of a session, or to the runs of the commit. */
type Target = { runId: string } | { session: Recording } | { isOfCommit: true }

/** Runs the command and returns the exit code. If no such check is possible, throws before running anything. */
async function checkExec(runId: string | undefined, words: string[], options: CheckOptions, exec: Command) {
  const { name, agent } = options
  const cwd = process.cwd()
  const place = placeToRecord(options, say)
  if (!place) return runUnrecorded(words, say)
  const line = commandLine(words)
  const command = firstBytes(await mask(line), 4000)
  const check = { name, agent, command }
  refuseFaults(exec, routes.createCheck.input, { ...check, runId: runId ?? 'RUN-001', result: 'pass' })
  using state = stateOrMemory(process.env, say)
  const target = runId === undefined ? await settled(state, targetOf(state, place, cwd)) : { runId }
  const here = { state, place, cwd, line }
  const session = 'session' in target ? target.session : undefined
  const { ended, workOf, remarks } = await seeing(session, { ...here, words, env: process.env }, () => run(words))
  const content = [...(await maskDeep(remarks)), ended.content].join('\n')
  await record(target, { ...check, ...ended, content }, workOf(name), here).catch((error: Error) =>
    say(`The check was not recorded: ${error.message}.`),
  )
  return ended.exitCode
}

/** Finds the work that is checked. Throws a UsageError if that is unclear. */
function targetOf(state: Spool, place: Place, cwd: string): Target {
  const whose = whoseHere(state, place, process.env)
  if (whose.kind !== 'own') return whose
  const ids = whose.candidates.flatMap(({ runId }) => runId ?? [])
  const { commit, dirty } = ids.length > 0 ? {} : gitStateOf(cwd)
  // Uncommitted changes may be someone else's work.
  if (commit !== undefined && !dirty) return { isOfCommit: true }
  const name = `Name the run to check: conduct check exec ${ids[0] ?? 'RUN-001'} -- npm test`
  if (ids.length > 0) {
    throw new UsageError(
      `This command may belong to ${ids.join(' or ')}, or to a session that hooks do not record. ${name}`,
    )
  }
  const why = commit === undefined ? noCommitWords(cwd) : `its files differ from commit ${commit.slice(0, 12)}`
  throw new UsageError(
    `This command runs neither in a session of this project that hooks record nor inside conduct exec for it, and its run cannot be found by commit, because ${why}. ${name}`,
  )
}

/** The session with what its hooks have noted: its rules, and what it has left running. */
async function settled(state: Spool, target: Target): Promise<Target> {
  if (!('session' in target)) return target
  const { name } = target.session
  await settle(state, name, process.env).catch(() => {})
  return { session: state.find(name) ?? target.session }
}

function noCommitWords(cwd: string): string {
  const fault = gitFault(cwd)
  return fault === undefined ? 'this folder has no commit' : `git cannot read the working tree here (${fault})`
}

async function run(words: string[]) {
  const tail = createTail(tailLength)
  const output = createOutput({ isFull: () => false, put: tail.put })
  const { exitCode, durationMs, fault } = await runChild(words, { env: process.env, onOutput: output.write })
  process.exitCode = exitCode
  if (fault) say(fault)
  await output.end()
  const content = { content: fault ?? tail.text(), contentType: 'text/x-terminal' }
  return { result: exitCode === 0 ? 'pass' : 'fail', exitCode, durationMs, ...content }
}

interface Here {
  state: Spool
  place: Place
  cwd: string
  /** The command, not masked. */
  line: string
}

async function record(target: Target, check: EndedCheck & Record<string, unknown>, work: SeenWork, here: Here) {
  const { state, place, cwd, line } = here
  const { env } = process
  const isSeen = isByRule({ ...check, command: line }, 'session' in target ? target.session : undefined, cwd)
  if ('session' in target) {
    const { session } = target
    const seen = { ...check, ...work, ...(isSeen && { recorder: 'exec' }) }
    const call = { operation: 'createCheck', input: seen } as const
    await addToSession(state, session, env, call, say)
    say(`recorded for ${state.find(session.name)?.runId ?? session.name}, the run of this session`)
    return
  }
  const named = 'runId' in target ? { runId: target.runId } : {}
  const leaseToken = 'runId' in target ? leaseOfOuter(target.runId, here) : undefined
  const proof = leaseToken !== undefined && isSeen ? { recorder: 'exec', leaseToken } : {}
  // Work that is recorded here is checked again and again in one attempt of a job.
  const pipeline = leaseToken === undefined ? pipelineOf(env) : undefined
  const waiting = waitingChecks(here)
  // The check is stored before anything waits for a server.
  const input = { ...check, ...work, ...(pipeline && { pipeline }), ...proof }
  const first = { operation: 'createCheck', input } as const
  const recorder = createRecorder({ place, cwd, env, say, first, ...named })
  await sendWaiting(waiting, state, env).catch(() => {})
  if ('runId' in target) await tellOuterExec(target.runId, work, here)
  const runId = await recorder.end()
  const isFound = 'isOfCommit' in target && runId !== null
  if (isFound) say(`recorded for ${runId}, by commit ${work.commit?.slice(0, 12)}`)
  if (runId !== null) await warnIfRewritten(place, env, say)
}

/** The checks for the same ledger that this machine could not send yet, oldest first. */
const waitingChecks = ({ state, place }: Here): string[] =>
  state
    .unsent()
    .filter((one) => one.kind === 'exec' && one.ended && one.refused === null && samePlace(one.place, place))
    .flatMap(({ name }) => (state.next(name)?.operation === 'createCheck' ? name : []))

/** Sends them before a later check, because the newest check of a name counts. */
async function sendWaiting(names: readonly string[], state: Spool, env: Env): Promise<void> {
  const signal = AbortSignal.timeout(patienceMs)
  for (const name of names) {
    const { isAway } = await deliver(state, name, { connect: (place) => reconnect(place, env), signal })
    if (isAway || signal.aborted) return
  }
}

type CheckedTree = Pick<Git, 'commit' | 'commitTree' | 'tree' | 'dirty'>

interface Within {
  state: Spool
  place: Place
  cwd: string
}

/**
 * Tells a run the files as they are now if the `conduct exec` that records it is above this process, in the same
 * repository. Otherwise a check inside it would be compared with the files as they were when the command began. If this
 * fails, nothing is lost: the command's end tells them again.
 */
async function tellOuterExec(runId: string, work: CheckedTree, here: Within): Promise<void> {
  const late = sleep(patienceMs, undefined, { ref: false })
  await Promise.race([tell(runId, work, here), late]).catch(() => {})
}

async function tell(runId: string, { commit, commitTree, tree, dirty }: CheckedTree, here: Within): Promise<void> {
  const leaseToken = leaseOfOuter(runId, here)
  if (leaseToken === undefined || tree === undefined) return
  await using connection = await reconnect(here.place, process.env)
  const { client } = connection
  const { git } = (await client.getRun({ runId })).run
  if (git?.tree && git.tree !== tree) {
    await client.updateRun({ runId, leaseToken, git: { ...git, commit, commitTree, tree, dirty, uncommitted: null } })
  }
}

/** The lease of the run that a `conduct exec` above this process records here; undefined if there is none. */
function leaseOfOuter(runId: string, { state, place, cwd }: Within): string | undefined {
  const above = ancestorsOf(process.pid).map(({ id }) => id)
  const outer = state
    .handedOn(runId, above)
    .find((one) => one.kind === 'exec' && !one.ended && samePlace(one.place, place))
  return outer && topOf(outer.cwd) === topOf(cwd) ? (outer.leaseToken ?? undefined) : undefined
}
