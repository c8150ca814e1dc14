import { useState } from 'preact/hooks'
import { evidenceText } from '../../contract/evidence-words.ts'
import { spanOf } from '../../contract/span.ts'
import type { Check } from '../../nouns/run/check/fields.ts'
import { useRead } from '../data/query/read.ts'
import { clientOf } from '../data/query/server.ts'
import type { RunHistory } from '../data/runs/run-history.ts'
import { Problem } from '../ui/loading.tsx'
import { Badge, lookOf, resultLooks, results } from '../ui/status.tsx'
import { Visible } from '../ui/text.tsx'
import { Ago } from '../ui/time.tsx'
import { actorText } from '../ui/words.ts'
import { Text } from './log.tsx'

/** What checks found. Failing ones come first; those that newer ones replaced are folded. */
export function RunChecks({ history: { entries, isRead, error, reload } }: { history: RunHistory }) {
  const checks = entries.flatMap((entry) => (entry.kind === 'check' ? [entry.check] : [])).reverse()
  const isPart = entries.some((entry) => entry.kind === 'omitted' && entry.of === 'check')
  const counting = checks.filter(({ counts }) => counts)
  const earlier = checks.filter(({ counts }) => !counts)
  const rank = ({ result }: Check) => results.indexOf(result)
  return (
    <section aria-labelledby="checks">
      <h2 id="checks">
        Checks{' '}
        <span class="muted">
          {isRead && (checks.length === 0 ? 'none recorded' : checkCounts(counting))}
          {isPart && ` among the newest ${checks.length}`}
        </span>
      </h2>
      {error && <Problem error={error} onRetry={reload} />}
      {counting.length > 0 && <Checks checks={counting.toSorted((a, b) => rank(a) - rank(b))} />}
      {earlier.length > 0 && (
        <details class="part earlier">
          <summary>{earlier.length} earlier</summary>
          <Checks checks={earlier} />
        </details>
      )}
    </section>
  )
}

const Checks = ({ checks }: { checks: Check[] }) => (
  <ul class="rows checks">
    {checks.map((check) => (
      <CheckRow key={check.id} check={check} />
    ))}
  </ul>
)

/** How many have which result: `1 fail, 3 pass`. */
function checkCounts(checks: Check[]): string {
  const all = new Set([...results, ...checks.map(({ result }) => result)])
  const counted = [...all].map((one) => [checks.filter(({ result }) => result === one).length, one] as const)
  return counted.flatMap(([count, result]) => (count > 0 ? `${count} ${result}` : [])).join(', ')
}

/** How the result of a check is known, in words, and who recorded it if these do not name them. */
export function sourceOf({ evidence, createdBy, agent }: Check): { words: string; who: string | undefined } {
  const actor = actorText(createdBy)
  const who = agent ?? actor
  // The words of independent evidence name the key.
  return { words: evidenceText(evidence, actor), who: evidence === 'independent' && who === actor ? undefined : who }
}

function CheckRow({ check }: { check: Check }) {
  const [isOpen, setOpen] = useState(false)
  const { name, result, command, exitCode, durationMs, counts, createdAt } = check
  const { words, who } = sourceOf(check)
  return (
    <li class={counts ? undefined : 'followed'}>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <Badge look={lookOf(resultLooks, result)} />
          <span class="name">{name}</span>
          {command && (
            <code class="one-line">
              <Visible text={command} />
            </code>
          )}
          <span class="facts">
            {!counts && <span>replaced by {check.replacedBy ?? 'a newer one'}</span>}
            <span>{words}</span>
            {exitCode !== null && <span>exit code {exitCode}</span>}
            {durationMs !== null && <span>{spanOf(durationMs)}</span>}
            {who && <span>{who}</span>}
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
