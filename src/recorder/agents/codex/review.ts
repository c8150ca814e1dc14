import { basename, dirname, join } from 'node:path'
import { fieldsOf, textOf } from '../fields.ts'
import { type Budget, filesIn, linesWith } from '../lines.ts'

/** How many reviews of a session to read. */
const most = 100

/**
 * The rollouts of the reviews in a session of Codex. A review is a thread of its own: its requests are in the thread's
 * rollout, while its prompt, its work and its answer are in that of the session.
 */
export async function reviewsOf(path: string, left: Budget): Promise<string[]> {
  const threads = new Set<string>()
  let isReview = false
  for await (const { payload } of linesWith(path, ['"EnteredReviewMode"', '"UserMessage"'], left)) {
    const { item, thread_id } = fieldsOf(payload)
    const { type } = fieldsOf(item)
    const id = textOf(thread_id, 200)
    if (type === 'EnteredReviewMode') isReview = true
    else if (isReview && type === 'UserMessage' && id !== undefined && !basename(path).includes(id)) threads.add(id)
  }
  const found: string[] = []
  for (const id of [...threads].slice(-most)) found.push(...(await rolloutOf(path, id)))
  return found
}

/** The rollout of a thread: beside that of the session or, if it began on another day, in that day's folder. */
async function rolloutOf(path: string, id: string): Promise<string[]> {
  const folder = dirname(path)
  const days = [folder, join(folder, '../../../..', dayOf(id))]
  for (const day of new Set(days)) {
    const found = await filesIn(day, `-${id}.jsonl`)
    if (found.length > 0) return found
  }
  return []
}

/** The day on which a thread began, as Codex names its folders. Its id begins with the time (RFC 9562, version 7). */
function dayOf(id: string): string {
  const ms = Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)
  const time = new Date(Number.isNaN(ms) ? 0 : ms)
  const two = (count: number) => String(count).padStart(2, '0')
  return join(String(time.getFullYear()), two(time.getMonth() + 1), two(time.getDate()))
}
