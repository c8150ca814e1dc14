import { setTimeout as sleep } from 'node:timers/promises'
import type { Delivery } from '../../spool/deliver.ts'
import type { Recorded, Sender } from './sender.ts'

/** How long an answer is waited for while a person waits, in milliseconds. */
export const patienceMs = 5_000
/** The pauses before the last tries: long enough for a server that is just starting again. */
const lastWaitsMs = [300, 1000]

/** Sends the rest of a recording, for as long as that gets on, and says what becomes of what is left. Returns whether nothing is. */
export async function sayFarewell(recorded: Recorded, sender: Sender): Promise<boolean> {
  const { name, ending, say } = recorded
  const interrupt = () => ending.abort(new Error('It was interrupted.'))
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt).on('SIGHUP', interrupt)
  const watching = watch(recorded)
  const { outcome } = await lastTries(sender, ending.signal)
  clearInterval(watching)
  if (outcome === 'refused')
    say(`What was not sent is kept: conduct sync tries again, or forgets it with --discard ${name}`)
  else if (outcome !== 'sent') say('The record is not sent yet. It is kept, and conduct sync sends it.')
  return outcome === 'sent'
}

/** Tries until nothing is left, a person or a silent server puts an end to it, or it fails again. */
async function lastTries(sender: Sender, signal: AbortSignal): Promise<Delivery> {
  await sender.running()
  for (const ms of lastWaitsMs) {
    const delivery = await sender.send()
    if (delivery.outcome === 'sent' || delivery.outcome === 'refused' || signal.aborted) return delivery
    await sleep(ms)
  }
  return sender.send()
}

/** Puts an end to the last tries once no call is acknowledged for a while. */
function watch({ state, name, ending }: Recorded) {
  let before = state.next(name)?.id
  return setInterval(() => {
    const next = state.next(name)?.id
    if (next === before) ending.abort(new Error(`There was no answer within ${patienceMs / 1000} seconds.`))
    before = next
  }, patienceMs)
}
