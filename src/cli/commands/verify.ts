import { Command, Option } from 'commander'
import { isMissing } from '../../contract/error.ts'
import { connect, type Place, placeOf, requireLedger, shownPlace } from '../../place/connect.ts'
import { exitCodes, UsageError } from '../../terminal/exit.ts'
import { whileWaiting } from '../../terminal/interactive.ts'
import { addExamples, addPlace, type Common } from '../../terminal/option.ts'
import { clean } from '../../text/clean.ts'
import { readAnchors } from '../../verify/anchors.ts'
import type { Mismatch } from '../../verify/heads.ts'
import { checkMemory, forget, NotRemembered, notRememberedWords } from '../../verify/remember.ts'
import { type Verified, verify } from '../../verify/verify.ts'
import { tries } from '../operation/call.ts'
import { pairs, printJson } from '../show/print.ts'

interface Options extends Common {
  anchor?: string[]
  forget?: boolean
  complete?: boolean
}

/** `conduct verify`: checks that the log is what was sealed, and compares it with anchors. */
export function verifyCommand(): Command {
  const command = new Command('verify')
  const anchor = new Option(
    '--anchor <file or address>',
    'checkpoints from a place that the operator of the database cannot change; repeatable',
  )
  command.addOption(anchor.argParser((text: string, before?: string[]) => [...(before ?? []), text]))
  command.option('--forget', 'forget the checkpoint of this log that this machine remembers')
  command.option('--complete', 'count dropped events as a fault')
  command.option('--json', 'as JSON')
  addPlace(command, true)
  command.addHelpText('after', `\nExits with ${exitCodes.failed[0]} if something does not fit.`)
  addExamples(command, ['conduct verify'])
  return command.action(run)
}

async function run(options: Options): Promise<void> {
  const { env } = process
  const anchors = (await Promise.all((options.anchor ?? []).map(readAnchors))).flat()
  const place = { ...placeOf(options, env, process.cwd()), project: undefined }
  requireLedger(place)
  if (options.forget) forget(shownPlace(place), env)
  await using connection = await connect(place, env, tries)
  const { client } = connection
  const compare = async () => (place.kind === 'server' ? checkMemory(client, place.url, env).catch(warn) : undefined)
  const found = await whileWaiting(`Checking ${shownPlace(place)}`, verify(client, anchors)).catch(async (error) => {
    const changed = isMissing(error) ? await compare() : undefined
    throw changed === undefined ? error : new Error(changed)
  })
  const changed = found.origin === '' ? undefined : await compare()
  if (changed !== undefined) found.faults.push({ words: changed })
  if (options.complete) found.faults.push(...missingIn(found))
  tell(found, place, options)
}

/** A log that fits is no fault, although this machine cannot remember it. */
function warn(error: Error): undefined {
  if (!(error instanceof NotRemembered)) throw error
  process.stderr.write(`${clean(notRememberedWords(error))}\n`)
}

/** The fault of dropped events, for a log that must be complete. Only an admin key sees whether there are any. */
function missingIn({ by, dropped }: Verified): Mismatch[] {
  if (by === 'proofs') throw new UsageError('--complete needs an admin key of the whole server.')
  return dropped ? [{ seq: 1, until: dropped, words: `Events 1 to ${dropped} are missing.` }] : []
}

function tell(found: Verified, place: Place, { json }: Options): void {
  if (found.faults.length > 0) process.exitCode = exitCodes.failed[0]
  if (json) {
    printJson(found)
    return
  }
  process.stdout.write(`${pairs(linesOf(found, place))}\n`)
  for (const { words } of found.faults) process.stderr.write(`DOES NOT FIT: ${clean(words)}\n`)
  if (found.faults.length === 0) process.stdout.write('Everything covered fits.\n')
}

function linesOf(
  { by, origin, continues, events, sealed, anchors, anchored, dropped, erased, notCovered }: Verified,
  place: Place,
): [string, string][] {
  return [
    ['ledger', shownPlace(place)],
    ['log', origin],
    ['continues', continues.length > 0 ? `${continues.join(', ')}: another name and key, as after an import` : ''],
    ['events', `${events}, of which ${sealed} are sealed`],
    [
      'checked',
      by === 'proofs' ? 'the proofs of the server; with an admin key of the whole server, everything' : 'all',
    ],
    ['dropped', dropped ? `events 1 to ${dropped}; their leaves are left, and fit` : ''],
    ['erased', erased ? `${erased} texts` : ''],
    ['anchors', anchors === 0 ? 'none' : `${anchors}, the newest of ${anchored} events`],
    ...notCovered.map((what): [string, string] => ['not covered', what]),
  ]
}
