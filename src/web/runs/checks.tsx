import { useState } from 'preact/hooks'
import type { Check } from '../../api/check.ts'
import { useRead } from '../data/read.ts'
import { clientOf } from '../data/server.ts'
import { Ago, spanOf } from '../ui/ago.tsx'
import { Problem } from '../ui/problem.tsx'
import { Badge, resultLooks } from '../ui/status.tsx'
import { Text } from './log.tsx'

/** The checks of a run, newest first. Of each name the newest counts; those that were followed stand back. */
export function Checks({ checks }: { checks: Check[] }) {
  const counted = new Set(new Map(checks.toReversed().map((check) => [check.name, check.id])).values())
  return (
    <ul class="rows checks">
      {checks.map((check) => (
        <CheckRow key={check.id} check={check} counts={counted.has(check.id)} />
      ))}
    </ul>
  )
}

function CheckRow({ check, counts }: { check: Check; counts: boolean }) {
  const [isOpen, setOpen] = useState(false)
  const { name, result, command, exitCode, durationMs, agent, createdAt } = check
  return (
    <li class={counts ? undefined : 'followed'}>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <Badge look={resultLooks[result]} />
          <span class="name">{name}</span>
          {command && <code class="one-line">{command}</code>}
          <span class="facts">
            {!counts && <span>followed by a newer one</span>}
            {exitCode !== null && <span>exit code {exitCode}</span>}
            {durationMs !== null && <span>{spanOf(durationMs)}</span>}
            {agent && <span>{agent}</span>}
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
      {command && <pre>{command}</pre>}
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
