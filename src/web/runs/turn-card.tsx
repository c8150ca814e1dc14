import type { Turn } from '../../nouns/run/turn-fields.ts'
import type { Route } from '../app/router.ts'
import { Ago } from '../ui/time.tsx'
import { uncreditedWords } from './changes.tsx'
import { Folded } from './folded.tsx'
import { Markdown } from './log.tsx'
import { TurnHead, titleOf } from './turn-head.tsx'
import { Commands, Files, Plan, Subagents, Tools } from './turn-parts.tsx'

interface Props {
  turn: Turn
  route: Route
  isOpen: boolean
  /** Whether the address names this turn. */
  isMarked: boolean
  /** Whether its answer stands at the top of the page. */
  isAnswerAbove: boolean
  onToggle: () => void
}

/** A turn: a line, and unfolded the prompt, the work, and the answer. */
export function TurnCard({ turn, route, isOpen, isMarked, isAnswerAbove, onToggle }: Props) {
  return (
    <li id={`turn-${turn.n}`} class={`turn${isMarked ? ' marked' : ''}${isOpen ? ' unfolded' : ''}`}>
      <TurnHead turn={turn} route={route} isOpen={isOpen} onToggle={onToggle} />
      {isOpen && <TurnBody turn={turn} isAnswerAbove={isAnswerAbove} />}
    </li>
  )
}

function TurnBody({ turn, isAnswerAbove }: Pick<Props, 'turn' | 'isAnswerAbove'>) {
  const { prompt, answer, failure, compactions = 0 } = turn
  return (
    <div class="turn-body">
      {prompt && prompt !== titleOf(turn) && (
        <div class="prompt">
          <Folded text={prompt}>{(text) => <p>{text}</p>}</Folded>
        </div>
      )}
      <TurnFigures turn={turn} />
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
      {answer &&
        (isAnswerAbove ? <AnswerAbove /> : <Folded text={answer}>{(text) => <Markdown text={text} />}</Folded>)}
    </div>
  )
}

const AnswerAbove = () => (
  <button type="button" class="plain" onClick={() => document.getElementById('answer')?.scrollIntoView()}>
    Go to its answer, at the top
  </button>
)

function TurnFigures({ turn: { endedAt, usage, model, erasedAt } }: Pick<Props, 'turn'>) {
  const { inputTokens, outputTokens } = usage ?? {}
  const isKnown = inputTokens !== undefined || outputTokens !== undefined
  const name = usage?.model ?? model
  if (!name && !isKnown && !endedAt && !erasedAt) return null
  return (
    <span class="facts">
      {name && <span>{name}</span>}
      {isKnown && (
        <span title="Tokens: input and output">
          {tokensOf(inputTokens)} in, {tokensOf(outputTokens)} out
        </span>
      )}
      {endedAt && (
        <span>
          ended <Ago at={endedAt} />
        </span>
      )}
      {erasedAt && <span>texts erased</span>}
    </span>
  )
}

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })
const tokensOf = (count: number | undefined) => (count === undefined ? '—' : compact.format(count))
