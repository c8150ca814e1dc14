import type { OpenTurn } from '../nouns/run/turn-fields.ts'
import { defined } from './agents/fields.ts'
import { type Draft, mostFiles, pathOf, turnOf } from './agents/turn.ts'
import { type Facts, type Stepped, withCall } from './facts.ts'
import type { Memo } from './memo.ts'
import { rulesFor } from './turn.ts'
import { joined } from './waiting.ts'

/**
 * Opens the turn on which the agent works, so that readers see its prompt before it ends. While turns are held, that is the
 * first of them.
 */
export function opened(before: Stepped, facts: Facts): Stepped {
  const { memo } = before
  const n = (memo.n ?? 0) + 1
  const turn = memo.held?.[0] ?? memo.draft
  const isLive = memo.begun && !memo.ended && memo.closing === undefined
  if (!isLive || turn?.prompt === undefined || memo.open === n) return before
  const { startedAt, prompt, model } = turnOf(turn, { at: facts.at, ...defined({ model: memo.model }) })
  const { prompts } = rulesFor(memo, facts)
  const input = defined({ n, open: true, startedAt, model, prompt: prompts ? prompt : undefined })
  return withCall(before, 'appendTurn', input, { open: n })
}

/** The turn in progress as hooks reported it, cut to what readers are shown. */
interface Unfinished {
  n: number
  model?: string
  draft: Draft
}

/** How many commands of it are shown: the last ones. */
const mostCommands = 20

/** The turn that was opened, with all that was done since; undefined if none is open. */
export function unfinished({ n = 0, open, ended, held = [], draft, model }: Memo): Unfinished | undefined {
  const [first, ...others] = [...held, ...(draft ? [draft] : [])]
  if (open !== n + 1 || ended || !first) return undefined
  const { prompt: _, kept: __, begun: ___, ...whole } = others.reduce(joined, first)
  const { files, commands } = whole
  const shown = { files: files.slice(-mostFiles), commands: commands.slice(-mostCommands) }
  return { n: open, ...defined({ model }), draft: { ...whole, ...shown } }
}

/** What a heartbeat says of it. `pathsOf` puts the paths of its documents in the form of the ledger. */
export function shownTurn({ n, model, draft }: Unfinished, pathsOf: (files: string[]) => string[]): OpenTurn {
  const { tools, commands, plan, agents, ...turn } = turnOf(draft, { at: draft.at, ...defined({ model }) })
  const files = pathsOf(draft.files).flatMap((path) => (pathOf(path) === undefined ? [] : [{ path }]))
  return defined({ n, model: turn.model, tools, files, commands, plan, agents })
}
