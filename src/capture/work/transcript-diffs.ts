import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { DiffInput } from '../../nouns/run/diff/fields.ts'
import { foreignText } from '../../place/foreign.ts'
import { readWritten } from '../../recorder/agents/transcript.ts'
import type { OwedDiff, TurnReported } from '../../recorder/memo.ts'
import { type PastTurn, turnsOf } from '../../recorder/past.ts'
import { contentBefore, type Written } from '../../recorder/transcripts/written.ts'
import { createPastDiffs, most, type OnDisk, type PastContent } from './past-diffs.ts'
import { pathsOf } from './placed.ts'

/** The diffs of a turn outside git. Throws an Error if its transcript cannot be read. */
export async function transcriptDiffs({
  agent,
  transcript,
  subagents,
  cwd,
  since,
  from,
  until,
  isWithheld,
}: TurnReported & Pick<OwedDiff, 'isWithheld'>): Promise<DiffInput[]> {
  const moments = await readWritten(agent, transcript, subagents)
  if (!moments) return []
  const turns: PastTurn[] = []
  // Prompts and answers are not sent from here, so they need no masking.
  for await (const past of turnsOf(moments, async (text) => text)) {
    const { startedAt = '', endedAt = '' } = past.turn
    if (Date.parse(startedAt) >= until) break
    const written = past.written.filter(({ at }) => at > since && at <= until)
    if (Date.parse(endedAt) > since) turns.push({ ...past, written })
  }
  const diffs = createPastDiffs({ root: undefined, cwd, isWithheld, onDisk: onDisk(cwd, turns, since) })
  // A transcript may have several turns as one.
  const isOwn = ({ turn: { endedAt = '' } }: PastTurn) => Date.parse(endedAt) > from
  for (const past of turns) {
    const written = past.written.filter(({ at }) => at <= from)
    diffs.next(written, isOwn(past) ? [] : past.files, undefined)
  }
  const own = turns.filter(isOwn)
  const written = own.flatMap((past) => past.written.filter(({ at }) => at > from))
  const files = own.flatMap((past) => past.files)
  return diffs.next(written, files, undefined)()
}

/** The files of a folder that tools wrote last, in a run that began at that time. */
function onDisk(cwd: string, turns: PastTurn[], since: number): OnDisk {
  const written = Map.groupBy(
    turns.flatMap((turn) => turn.written),
    ({ path }) => pathsOf(undefined, cwd, [path])[0],
  )
  return {
    has: (path, content) => contentIn(cwd, path) === content,
    original(path) {
      const all = written.get(path) ?? []
      const now = contentIn(cwd, path)
      // Whoever wrote to it after the tools may have changed what no hunk shows.
      const isOthers = typeof now === 'string' && writtenAt(join(cwd, path)) > (all.at(-1)?.at ?? 0)
      return isOthers ? undefined : all.reduceRight<PastContent>(rewound, now)
    },
    isOlder(path) {
      const born = statSync(join(cwd, path), { throwIfNoEntry: false })?.birthtimeMs ?? since
      // Some file systems do not know it.
      return born !== 0 && born < since
    },
  }
}

/** When somebody wrote to a file last, in whole milliseconds, as transcripts tell times. */
const writtenAt = (path: string) =>
  Math.floor(statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY)

/** The content before a tool wrote that one; undefined if nobody knows. */
function rewound(content: PastContent, written: Written): PastContent {
  const { before, hunks } = written
  return before === undefined && typeof content === 'string' && hunks !== undefined
    ? contentBefore(written, content)
    : before
}

/** The content of a file; null if there is none, undefined if it cannot be read. */
function contentIn(cwd: string, path: string): PastContent {
  try {
    return foreignText(join(cwd, path), { within: cwd, most: most.content }) ?? null
  } catch {
    return undefined
  }
}
