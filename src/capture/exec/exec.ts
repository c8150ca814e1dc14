import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command, InvalidArgumentError } from 'commander'
import { firstBytes } from '../../contract/text.ts'
import { mask, maskDeep } from '../../mask/mask.ts'
import { routes } from '../../operations/routes.ts'
import { contentLimitOf, type Place, type PlaceOptions } from '../../place/connect.ts'
import { authorOf } from '../../place/git/guarded.ts'
import { snapshot } from '../../place/git/tree.ts'
import { readable, requiredChecks } from '../../place/rules.ts'
import type { Snapshot } from '../../recorder/work.ts'
import { UsageError } from '../../terminal/exit.ts'
import { addExamples, addPlace } from '../../terminal/option.ts'
import { commandLine } from '../../terminal/text.ts'
import { type Gap, pieces } from '../../text/content.ts'
import { asTitle } from '../../text/title.ts'
import { warnIfRewritten } from '../../verify/remember.ts'
import { createRecorder, createSay, type Recorder } from '../spool/recorder.ts'
import { patienceMs } from '../spool/sender.ts'
import { stateOrMemory } from '../spool/state-file.ts'
import { ruleNamesIn, seeing } from './check-seen.ts'
import { type ChildResult, runChild } from './child.ts'
import { execInSession, whoseHere } from './in-session.ts'
import { type CommandOutput, createOutput } from './output.ts'
import { placeToRecord, refuseFaults, runUnrecorded } from './start.ts'
import { workAt, workOf } from './work.ts'

interface ExecOptions extends PlaceOptions {
  specId?: string
  agent?: string
  retryOf?: string
  title?: string
  label?: Record<string, string>
  capture?: true
}

/** The options, and where they say to record. */
type Placed = ExecOptions & { place: Place }

/** Three times the pause between heartbeats. */
const leaseSeconds = 60
/** The most bytes per append. */
const callBytes = 65_536

const say = createSay('conduct exec')

/** `conduct exec`: runs a command and records it as a run. */
export function execCommand(): Command {
  const command = new Command('exec')
    .description('Run a command, and record it as a run with its output and exit code')
    .usage('[options] -- <command...>')
    .argument('<command...>', 'the command and its arguments')
    .option('--spec-id <id>', 'the spec that the run works on')
    .option('--agent <name>', 'who does the work')
    .option('--retry-of <run-id>', 'the run that this one retries')
    .option('--title <title>', 'the title of the run (default: the command)')
    .option('--label <name=value>', 'a label of the run; repeatable', addLabel)
    .option('--capture', 'record the output of an interactive command, too; the command then has no terminal')
    .addHelpText(
      'after',
      '\nExits with the exit code of the command, which finds its run in CONDUCT_RUN_ID. In a session that hooks record,\n' +
        'the command belongs to the run of the session, unless an option describes a separate run.',
    )
    .action(async (words: string[], options: ExecOptions) => {
      const place = placeToRecord(options, say)
      process.exitCode = place ? await record(words, { ...options, place }, command) : await runUnrecorded(words, say)
    })
  addPlace(command)
  return addExamples(command, [
    'conduct exec -- npm test',
    'conduct exec --spec-id AUTH-001 --agent ci --label team=web -- npm test',
  ])
}

function addLabel(text: string, labels: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('It must be name=value.')
  return { ...labels, [text.slice(0, at)]: text.slice(at + 1) }
}

const ownOptions = ['specId', 'agent', 'retryOf', 'title', 'label'] as const

const record = async (words: string[], options: Placed, command: Command): Promise<number> =>
  (await inSession(words, options)) ?? (await asRun(words, options, command))

/** Runs the command as part of its session. If it has none, runs nothing and returns undefined. */
async function inSession(words: string[], options: Placed): Promise<number | undefined> {
  const { env } = process
  if (ownOptions.some((name) => options[name] !== undefined)) return undefined
  // The recorder reports why the state cannot be opened.
  using state = stateOrMemory(env, () => {})
  const whose = whoseHere(state, options.place, env)
  if (whose.kind !== 'session') return undefined
  const { session } = whose
  return await execInSession(words, { state, session, env, isInteractive: isInteractive(options), say })
}

/** Whether the command has our terminal, so its output is not recorded. */
const isInteractive = ({ capture }: ExecOptions) => process.stdin.isTTY && process.stdout.isTTY && !capture

async function asRun(words: string[], options: Placed, command: Command): Promise<number> {
  const objects = join(tmpdir(), `conduct-${randomUUID()}`)
  try {
    return await exec(words, options, objects, command)
  } finally {
    rmSync(objects, { recursive: true, force: true })
  }
}

/** Runs the command and returns the exit code. If no such run is possible, throws before running anything. */
async function exec(words: string[], options: Placed, objects: string, command: Command): Promise<number> {
  const cwd = process.cwd()
  const { place } = options
  const before = snapshot(cwd, objects)
  const run = await runOf(words, options, before, command)
  const recorder = createRecorder({ place, cwd, env: process.env, say, first: { operation: 'createRun', input: run } })
  await start(recorder)
  const output = outputOf(recorder, place)
  const startedAt = Date.now()
  const { ended, checks } = await seeingChecks(words, () =>
    runChild(words, {
      // Overrides the id of an outer run.
      env: { ...process.env, CONDUCT_RUN_ID: recorder.runId() ?? undefined },
      onOutput: isInteractive(options) ? undefined : output.write,
    }),
  )
  process.exitCode = ended.exitCode
  if (ended.fault) say(ended.fault)
  try {
    await output.end()
  } catch (error) {
    say(`The end of the output was not recorded: ${(error as Error).message}.`)
  }
  try {
    const work = await maskDeep(before ? workAt(before, snapshot(cwd, objects)) : {})
    const input = { ...endOf(ended), ...timesOf(startedAt, ended), ...work }
    const runId = recorder.runId()
    // A recorder's word on a check takes its lease, which the run loses at its end.
    const isSent = (await recorder.end(...checks, { operation: 'updateRun', input })) !== null
    if (runId !== null) say(`recorded as ${runId}`)
    if (isSent) await warnIfRewritten(place, process.env, say)
  } catch (error) {
    say(`The end of the command was not recorded: ${(error as Error).message}.`)
  }
  return ended.exitCode
}

/** Runs the command, and returns the checks that it is by the rules of the folder; none if a signal ended it. */
async function seeingChecks(words: string[], work: () => Promise<ChildResult>) {
  const [cwd, { env }] = [process.cwd(), process]
  const line = commandLine(words)
  const namesOf = ruleNamesIn(cwd)
  if (namesOf(line, 0).length === 0) return { ended: await work(), checks: [] }
  using state = stateOrMemory(env, () => {})
  const { ended, workOf, remarks } = await seeing(undefined, { state, cwd, words, env }, work)
  const { exitCode, durationMs, signal } = ended
  const result = exitCode === 0 ? 'pass' : 'fail'
  const content = remarks.length > 0 && { content: remarks.join('\n') }
  const check = { result, exitCode, durationMs, ...content, recorder: 'exec' }
  const command = firstBytes(await mask(line), 4000)
  const names = signal === null ? namesOf(line, exitCode) : []
  const inputs = await maskDeep(names.map((name) => ({ name, ...check, ...workOf(name) })))
  return { ended, checks: inputs.map((input) => ({ operation: 'createCheck' as const, input: { ...input, command } })) }
}

/** The run to create. Throws a UsageError that names each wrong flag. */
async function runOf(words: string[], options: ExecOptions, before: Snapshot | undefined, command: Command) {
  const { specId, agent, retryOf, label: labels } = options
  const line = await mask(commandLine(words))
  const title = asTitle(options.title === undefined ? line : await mask(options.title))
  const where = { host: hostname(), cwd: firstBytes(process.cwd(), 1000) }
  const author = authorOf(process.cwd())
  const fields = { title, specId, agent, retryOf, command: firstBytes(line, 4000) }
  const by = author === undefined ? {} : { author: firstBytes(author, 200) }
  const required = readable(() => requiredChecks(process.cwd()))
  const named = await maskDeep({ labels, where, ...workOf(before) })
  const run = {
    ...fields,
    ...by,
    ...(required && { required }),
    contentType: 'text/x-terminal',
    ...named,
    leaseSeconds,
  }
  refuseFaults(command, routes.createRun.input, run)
  return run
}

/** Sends the start of the run, so that the command can know its id. Throws if the run can never be created. */
async function start(recorder: Recorder) {
  const delivery = await Promise.race([recorder.send(), sleep(patienceMs, undefined, { ref: false })])
  if (delivery?.outcome === 'refused') {
    await recorder.discard()
    throw new UsageError('The command was not run, because it cannot be recorded with these options.')
  }
  if (delivery?.outcome === 'sent') return
  const means = recorder.isKept ? 'stored until it can be sent' : 'lost unless it can be sent before it ends'
  say(`The command runs anyway; its record is ${means}.`)
}

function outputOf(recorder: Recorder, place: Place): CommandOutput {
  const put = (text: string, gap?: Gap) => {
    const texts = text === '' ? [''] : pieces(text, callBytes)
    const inputs = texts.map((text, at) => ({ text, ...(at === 0 && gap && { dropped: gap }) }))
    try {
      recorder.add(...inputs.map((input) => ({ operation: 'appendToRun' as const, input })))
    } catch (error) {
      say(
        `Output cannot be stored on this machine at the moment, and is lost unless you correct this: ${(error as Error).message}.`,
      )
      throw error
    }
  }
  // All that this machine's own ledger would keep.
  const most = place.kind === 'local' ? contentLimitOf(process.env) : undefined
  return createOutput({ isFull: recorder.isFull, put, ...(most !== undefined && { most }) })
}

/** In this machine's time, because the ledger may receive them much later. */
const timesOf = (startedAt: number, { durationMs }: ChildResult) => ({
  startedAt: new Date(startedAt).toISOString(),
  endedAt: new Date(startedAt + durationMs).toISOString(),
})

function endOf({ exitCode, signal, fault }: ChildResult) {
  if (exitCode === 0) return { status: 'completed', exitCode }
  const failure = signal
    ? { code: `SIGNAL_${signal}`, message: `${signal} ended the command.` }
    : { code: `EXIT_${exitCode}`, message: fault ?? `The command ended with exit code ${exitCode}.` }
  return { status: 'failed', exitCode, failure }
}
