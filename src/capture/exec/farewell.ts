import { setTimeout as sleep } from 'node:timers/promises'
import type { Delivery } from '../spool/deliver.ts'
import type { Recorded, Sender } from '../spool/sender.ts'

/** How long to wait for a response while a person waits, in milliseconds. */
export const patienceMs = 5_000
/** The pauses before the last tries: long enough for a server that is restarting. */
const lastWaitsMs = [300, 1000]

/**
 * Sends the rest of a recording while it makes progress, and says what happens to the remainder. Returns whether
 * nothing is left.
 */
export async function sayFarewell(recorded: Recorded, sender: Sender): Promise<boolean> {
  const { name, state, ending, say } = recorded
  const interrupt = () => ending.abort(new Error('Interrupted.'))
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt).on('SIGHUP', interrupt)
  const watching = watch(recorded)
  const { outcome } = await lastTries(sender, ending.signal)
  clearInterval(watching)
  if (outcome === 'sent') return true
  if (!state.isKept) say('The record was not sent, and is lost.')
  else if (outcome === 'refused')
    say(`The rest is stored: conduct sync tries again, and conduct sync --discard ${name} deletes it`)
  else say('The record is not sent yet. It is stored, and conduct sync sends it.')
  return false
}

/** Tries until nothing is left, the person or a silent server ends it, or it fails again. */
async function lastTries(sender: Sender, signal: AbortSignal): Promise<Delivery> {
  await sender.running()
  for (const ms of lastWaitsMs) {
    const delivery = await sender.send()
    if (delivery.outcome === 'sent' || delivery.outcome === 'refused' || signal.aborted) return delivery
    await sleep(ms)
  }
  return sender.send()
}

/** Ends the last tries if no call is acknowledged for a while. */
function watch({ state, name, ending }: Recorded) {
  let before = state.next(name)?.id
  return setInterval(() => {
    const next = state.next(name)?.id
    if (next === before) ending.abort(new Error(`There was no answer within ${patienceMs / 1000} seconds.`))
    before = next
  }, patienceMs)
}
