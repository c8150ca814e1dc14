import { useState } from 'preact/hooks'
import { evidenceText } from '../../contract/evidence-words.ts'
import type { Check } from '../../nouns/run/check/fields.ts'
import { useRead } from '../data/query/read.ts'
import { clientOf } from '../data/query/server.ts'
import { Problem } from '../ui/loading.tsx'
import { Badge, resultLooks, results } from '../ui/status.tsx'
import { Visible } from '../ui/text.tsx'
import { Ago, spanOf } from '../ui/time.tsx'
import { actorText } from '../ui/words.ts'
import { Text } from './log.tsx'

/** The checks of a run, given newest first. Those that count for the verdict come first, failing ones at the top. */
export function Checks({ checks }: { checks: Check[] }) {
  const rank = ({ counts, result }: Check) => (counts ? results.indexOf(result) : results.length)
  const sorted = checks.toSorted((a, b) => rank(a) - rank(b))
  return (
    <ul class="rows checks">
      {sorted.map((check) => (
        <CheckRow key={check.id} check={check} />
      ))}
    </ul>
  )
}

/** The counts of the results that count for the verdict: `1 fail, 3 pass`. */
export function checkCounts(checks: Check[]): string {
  const counting = checks.filter(({ counts }) => counts)
  const counted = results.map((one) => [counting.filter(({ result }) => result === one).length, one] as const)
  return counted.flatMap(([count, result]) => (count > 0 ? `${count} ${result}` : [])).join(', ')
}

function CheckRow({ check }: { check: Check }) {
  const [isOpen, setOpen] = useState(false)
  const { name, result, command, exitCode, durationMs, agent, counts, createdAt } = check
  return (
    <li class={counts ? undefined : 'followed'}>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <Badge look={resultLooks[result]} />
          <span class="name">{name}</span>
          {command && (
            <code class="one-line">
              <Visible text={command} />
            </code>
          )}
          <span class="facts">
            {!counts && <span>replaced by {check.replacedBy ?? 'a newer one'}</span>}
            <span>{evidenceText(check.evidence, actorText(check.createdBy))}</span>
            {exitCode !== null && <span>exit code {exitCode}</span>}
            {durationMs !== null && <span>{spanOf(durationMs)}</span>}
            <span>{agent ?? actorText(check.createdBy)}</span>
            {check.erasedAt && <span>texts erased</span>}
            <Ago at={createdAt} />
          </span>
        </summary>
        {isOpen && <CheckBody check={check} />}
      </details>
    </li>
  )
}

function CheckBody({ check: { project, checkId, command, commit } }: { check: Check }) {
  const { data, error, reload } = useRead(
    `${project}/${checkId}`,
    (signal) => clientOf(project).getCheck({ checkId }, { signal }),
    { touches: ({ type, subject }) => type === 'check.updated' && subject === checkId },
  )
  return (
    <div class="body">
      {command && (
        <pre>
          <Visible text={command} />
        </pre>
      )}
      <p class="small muted">
        {checkId}
        {commit && `, at commit ${commit}`}
      </p>
      {error && <Problem error={error} onRetry={reload} />}
      {data &&
        (data.check.content === '' ? (
          <p class="muted">No further details.</p>
        ) : (
          <Text text={data.check.content} contentType={data.check.contentType} />
        ))}
    </div>
  )
}
