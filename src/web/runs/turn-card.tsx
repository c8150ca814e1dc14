import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { Turn } from '../../nouns/run/turn-fields.ts'
import { href, type Route } from '../app/router.ts'
import { Badge } from '../ui/status.tsx'
import { Ago, spanOf } from '../ui/time.tsx'
import { costOf } from '../ui/words.ts'
import { uncreditedWords } from './changes.tsx'
import { Markdown } from './log.tsx'
import { Commands, Files, Plan, Subagents, Tools } from './turn-parts.tsx'

/** Longer prompts and answers are folded. */
const longest = { characters: 1200, lines: 16 }

interface Props {
  turn: Turn
  route: Route
  /** Whether the address names this turn. */
  isMarked: boolean
}

/** A turn: the prompt, the work, and the answer. */
export function TurnCard({ turn, route, isMarked }: Props) {
  const { n, prompt, answer, failure, interrupted, compactions = 0 } = turn
  return (
    <li id={`turn-${n}`} class={isMarked ? 'turn marked' : 'turn'}>
      <header>
        <h3>
          <a href={href(route.path, { turn: n })}>Turn {n}</a>
        </h3>
        {failure && <Badge look={{ word: 'Failed', icon: 'cross', tone: 'bad' }} title={failure.message} />}
        {interrupted && <Badge look={{ word: 'Interrupted', icon: 'warn', tone: 'doubt' }} />}
        {turn.erasedAt && <span class="muted small">texts erased</span>}
        <TurnFigures turn={turn} />
      </header>
      {prompt ? (
        <div class="prompt">
          <Folded text={prompt}>{(text) => <p>{text}</p>}</Folded>
        </div>
      ) : (
        <p class="muted">The agent continued without a prompt.</p>
      )}
      <Plan items={turn.plan} />
      <Files turn={turn} />
      {turn.uncredited && <p class="muted small">{uncreditedWords(turn.uncredited)}.</p>}
      <Commands commands={turn.commands} />
      <Tools tools={turn.tools} />
      <Subagents agents={turn.agents} />
      {compactions > 0 && <p class="muted small">Compacted its context{compactions > 1 && ` ${compactions} times`}.</p>}
      {failure && (
        <div class="failure">
          <b>{failure.code}</b>
          <p>{failure.message}</p>
        </div>
      )}
      {answer && <Folded text={answer}>{(text) => <Markdown text={text} />}</Folded>}
    </li>
  )
}

function TurnFigures({ turn: { startedAt, endedAt, usage, model } }: Pick<Props, 'turn'>) {
  const tookMs = startedAt && endedAt ? Date.parse(endedAt) - Date.parse(startedAt) : undefined
  const { inputTokens, outputTokens, costUsd, costSource } = usage ?? {}
  const isKnown = inputTokens !== undefined || outputTokens !== undefined
  return (
    <span class="facts">
      {tookMs !== undefined && <span>{spanOf(tookMs)}</span>}
      <span title="Tokens: input and output">
        {isKnown ? `${tokensOf(inputTokens)} in, ${tokensOf(outputTokens)} out` : '— tokens'}
      </span>
      <span title={costSource === 'estimated' ? 'Estimated from public prices' : 'Cost'}>
        {costSource === 'estimated' && '≈ '}
        {costOf(costUsd)}
      </span>
      {(usage?.model ?? model) && <span>{usage?.model ?? model}</span>}
      {endedAt && <Ago at={endedAt} />}
    </span>
  )
}

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })
const tokensOf = (count: number | undefined) => (count === undefined ? '—' : compact.format(count))

/** A text. A long one is folded to its beginning. */
export function Folded({ text, children }: { text: string; children: (text: string) => ComponentChildren }) {
  const [isOpen, setOpen] = useState(false)
  const start = startOf(text)
  if (start === text) return <>{children(text)}</>
  return (
    <>
      {children(isOpen ? text : `${start}…`)}
      <button type="button" class="plain fold" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {isOpen ? 'Show less' : 'Show all'}
      </button>
    </>
  )
}

const startOf = (text: string) => text.split('\n', longest.lines).join('\n').slice(0, longest.characters)
