import type { Run } from '../../nouns/run/fields.ts'
import type { Turn } from '../../nouns/run/turn-fields.ts'
import { href } from '../app/router.ts'
import { useWhom } from '../data/lists/whose.ts'
import { questionsOf } from '../data/runs/questions.ts'
import { Doing } from '../now/standing.tsx'
import { Ago } from '../ui/time.tsx'
import { Folded } from './folded.tsx'
import { Markdown } from './log.tsx'

interface Props {
  run: Run
  /** The last turns, newest first. */
  turns: Turn[]
}

/** The turn whose answer stands at the top, of the last turns. */
export const answeredOf = (turns: Turn[]): Turn | undefined => turns.find(({ answer }) => answer)

/** What the agent said last, and what it asks. */
export function LastAnswer({ run, turns }: Props) {
  const turn = answeredOf(turns)
  return (
    <>
      <Asks run={run} turns={turns} />
      {turn?.answer && (
        <section aria-labelledby="answer">
          <h2 id="answer">
            Last answer{' '}
            <span class="muted small">
              <a href={href(['runs', run.project, run.runId], { turn: turn.n })}>turn {turn.n}</a>
              {turn.endedAt && (
                <>
                  , <Ago at={turn.endedAt} />
                </>
              )}
            </span>
          </h2>
          <Folded text={turn.answer}>{(text) => <Markdown text={text} />}</Folded>
        </section>
      )}
    </>
  )
}

/** What the agent waits for, or else the questions at the end of the last turn. A new prompt has answered earlier ones. */
function Asks({ run, turns: [last] }: Props) {
  const whom = useWhom(run.author)
  const isWaiting = run.activity?.state === 'waiting'
  const questions = last?.answer && !isWaiting && run.activity?.state !== 'working' ? questionsOf(last.answer) : []
  if (!isWaiting && questions.length === 0) return null
  return (
    <section class="asks" aria-labelledby="asks">
      <h2 id="asks">{isWaiting ? `It waits for an answer${whom ? ` from ${whom}` : ''}` : 'It asks'}</h2>
      {isWaiting ? (
        <Doing run={run} />
      ) : (
        <ul>
          {questions.map((question) => (
            <li key={question}>{question}</li>
          ))}
        </ul>
      )}
    </section>
  )
}
