import { setTimeout as sleep } from 'node:timers/promises'
import { Command, Option } from 'commander'
import { placeOf } from '../../place/connect.ts'
import type { Env } from '../../place/folders.ts'
import type { Place } from '../../place/place.ts'
import { exitCodes, UsageError } from '../../terminal/exit.ts'
import { addExamples } from '../../terminal/option.ts'
import { clean } from '../../text/clean.ts'
import { rewrittenWords } from '../../verify/remember.ts'
import { forgetObjects } from '../hook/objects.ts'
import { payDiffs } from '../hook/owed-diffs.ts'
import { settleNotes } from '../hook/session.ts'
import { sendBeats } from './beat.ts'
import type { Unsent } from './calls.ts'
import { type DeliveryResult, deliver, tryMs } from './deliver.ts'
import { openReach, type Reach } from './reach.ts'
import type { Spool } from './state.ts'
import { stateOf } from './state-file.ts'

/** The exit code of a sync that leaves something unsent. */
const [waitsCode] = exitCodes.unreachable
/** Whether the log of the server in use continues what this machine saw of it. If not, says so on stderr. */
async function isSameLog(env: Env, seldom: boolean): Promise<boolean> {
  const place = chosenPlace(env)
  const words = place && (await rewrittenWords(place, env, { timeout: tryMs, seldom }))
  if (words !== undefined) process.stderr.write(`${clean(words)}\n`)
  return words === undefined
}

/** Undefined if the profile in use is missing. What was recorded is sent all the same. */
function chosenPlace(env: Env): Place | undefined {
  try {
    return placeOf({}, env, process.cwd())
  } catch (error) {
    if (error instanceof UsageError) return undefined
    throw error
  }
}

/** How many days to remember what was sent. */
const keptDays = 30

/** `conduct sync`: sends what this machine has recorded but could not send. */
export function syncCommand(): Command {
  const command = new Command('sync')
    .option('--quiet', 'print nothing, and do not retry what was refused')
    .addOption(new Option('--follow', 'sync again for each line on standard input').hideHelp())
    .option('--any-key', 'also send what another key recorded, as the work of this one')
    .option('--discard <name>', 'delete a recording that is not sent, instead of sending it')
    .addHelpText(
      'after',
      `\nExits with ${waitsCode} if something is not sent, and with ${exitCodes.failed[0]} if the server rewrote its log.`,
    )
    .action((options: Options) => run(options, process.env))
  return addExamples(command, ['conduct sync'])
}

interface Options {
  quiet?: true
  follow?: true
  anyKey?: boolean
  discard?: string
}

async function run({ quiet, follow, anyKey = false, discard }: Options, env: Env) {
  if (follow) return followWakes(env)
  const say = (line: string) => {
    if (!quiet) process.stdout.write(`${clean(line)}\n`)
  }
  using state = stateOf(env)
  if (discard !== undefined) {
    if (!state.discard(discard))
      throw new UsageError(`There is no recording '${discard}': conduct sync lists those that wait.`)
    say(`Discarded ${discard}.`)
    return
  }
  const isAllSent = await sync(state, env, { again: !quiet, anyKey, say })
  if (!isAllSent) process.exitCode = waitsCode
  if (!(await isSameLog(env, quiet === true))) process.exitCode = exitCodes.failed[0]
}

/** Syncs for the resident recorder, once more for each line of standard input, until its end. */
async function followWakes(env: Env) {
  let isWoken = false
  let isOver = false
  let wake = () => {}
  process.stdin.on('data', () => {
    isWoken = true
    wake()
  })
  process.stdin.on('end', () => {
    isOver = true
    wake()
  })
  while (!isOver || isWoken) {
    if (!isWoken) await new Promise<void>((resolve) => (wake = resolve))
    if (!isWoken) continue
    isWoken = false
    using state = stateOf(env)
    await sync(state, env, { again: false, say: () => {}, isWoken: () => isWoken })
    await isSameLog(env, true)
  }
}

interface SyncOptions {
  /** Whether to retry refused calls. */
  again: boolean
  /** Whether to send also what another key recorded. */
  anyKey?: boolean
  say(line: string): void
  /** Whether there may be more to sync already. */
  isWoken?(): boolean
}

/**
 * Sends everything that waits, oldest first, and reports the result. Tries a place that is away only once. Returns
 * whether nothing is left.
 */
export async function sync(
  state: Spool,
  env: Env,
  { again, anyKey = false, say, isWoken = () => false }: SyncOptions,
): Promise<boolean> {
  await settleNotes(state, env, say)
  const isAny = state.unsent().length > 0
  const sending = { again, say, ...openReach(env, { isPatient: again, anyKey }) }
  let tried = state.newest()
  let isAllSent = await sendCalls(state, sending)
  const sendNew = async () => {
    // Also what a process that cannot send it has queued meanwhile.
    if (state.newest() <= tried) return
    tried = state.newest()
    isAllSent = await sendCalls(state, sending)
  }
  // Diffs take longer than the turns that they belong to.
  await payDiffs(state, isWoken)
  await sendNew()
  // If a hook has started this process, it also sends the current activity.
  await sendBeats(state, { ...sending, waits: !again, isWoken })
  if (!again && (await isDeserted(state, isWoken))) {
    await settleNotes(state, env, say)
    await sendNew()
    await payDiffs(state, isWoken)
    await sendNew()
  }
  state.endGone()
  state.forgetActs()
  state.forget(keptDays)
  forgetObjects(state, env)
  // The log still has what was sent, as long as a process has the file open.
  if (isAny && isAllSent && state.owed().length === 0) state.emptyLog()
  return isAllSent && state.noted().length === 0
}

/** How long an agent that has ended its turn may take to exit, in milliseconds, and the pause between two checks. */
const [exitMs, pauseMs] = [3_000, 250]

/** Whether an agent has exited without reporting it, as some do right after their last turn. */
async function isDeserted(state: Spool, isWoken: () => boolean): Promise<boolean> {
  while (state.deserted().length === 0) {
    if (isWoken() || !state.hasJustRested(exitMs)) return false
    await sleep(pauseMs)
  }
  return true
}

type Sending = Pick<SyncOptions, 'again' | 'say'> & Reach

async function sendCalls(state: Spool, { again, say, connect, leave }: Sending): Promise<boolean> {
  const unsent = state.unsent()
  if (unsent.length === 0 && state.noted().length === 0) say('There is nothing to send.')
  let isAllSent = true
  for (const recording of unsent) {
    const { name, refused, place } = recording
    if (refused !== null && again) state.update(name, { refused: null })
    const delivery = await deliver(state, name, { connect })
    if (delivery.isAway) leave(place, delivery.words ?? '')
    if (delivery.outcome !== 'sent') isAllSent = false
    say(lineOf({ ...recording, runId: state.find(name)?.runId ?? null }, delivery))
  }
  return isAllSent
}

function lineOf({ name, runId, calls }: Unsent, { outcome, words = '' }: DeliveryResult): string {
  const what = `${name}${runId === null ? '' : ` (${runId})`}`
  const many = calls === 1 ? '1 call' : `${calls} calls`
  if (outcome === 'sent') return `${what}: sent ${many}. ${words}`.trimEnd()
  if (outcome === 'refused') return `${what}: refused. ${words} To discard it: conduct sync --discard ${name}`
  return `${what}: ${many} to send, still waiting. ${words}`
}
