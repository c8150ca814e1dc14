import type { ComponentChildren } from 'preact'
import type { Output } from '../../client/client.ts'
import type { TimelineEntry } from '../../nouns/run/timeline-fields.ts'
import { href } from '../app/router.ts'
import { forgeOf } from '../data/runs/forge.ts'
import { Outcome } from '../ui/status.tsx'
import { Breakable, Fact, OuterLink, Visible } from '../ui/text.tsx'
import { When } from '../ui/time.tsx'
import { costOfUse } from '../ui/words.ts'
import { comparisonHref } from './comparison.ts'

type FullRun = Output<'getRun'>['run']

interface Props {
  run: FullRun
  attempts: Extract<TimelineEntry, { kind: 'attempt' }>['run'][]
}

/** Whether two times are within a second. */
const isNear = (a: string, b: string) => Math.abs(Date.parse(a) - Date.parse(b)) < 1000

const count = (value: number | undefined) => value?.toLocaleString('en') ?? '—'

const all = <How extends string, Name extends string>(how: How, ...names: Name[]) =>
  Object.fromEntries(names.map((name) => [name, how])) as Record<Name, How>

type Show = (props: Props) => ComponentChildren

/** How the facts beside the work show each field of a run, in this order: other parts of its page do, or nothing does. */
const fields: Record<keyof FullRun, Show | 'elsewhere' | 'hidden'> = {
  specId: ({ run }) => (
    <Fact name="Spec">
      {run.specId && (
        <a href={href(['specs', run.project, run.specId], { version: run.specVersion ?? undefined })}>
          {run.specId}
          {run.specVersion !== null && ` v${run.specVersion}`}
        </a>
      )}
    </Fact>
  ),
  agent: ({ run }) => <Fact name="Agent">{[run.agent, run.agentVersion].filter(Boolean).join(' ')}</Fact>,
  author: ({ run }) => <Fact name="Author">{run.author}</Fact>,
  command: ({ run }) => (
    <Fact name="Command">
      {run.command && (
        <code>
          <Visible text={run.command} />
        </code>
      )}
    </Fact>
  ),
  exitCode: ({ run }) => <Fact name="Exit code">{run.exitCode}</Fact>,
  createdAt: ({ run }) => <Fact name="Created">{<When at={run.createdAt} />}</Fact>,
  // Most runs are created when they start.
  startedAt: ({ run: { startedAt, createdAt } }) => (
    <Fact name="Started">{startedAt && !isNear(startedAt, createdAt) && <When at={startedAt} />}</Fact>
  ),
  endedAt: ({ run }) => <Fact name="Ended">{run.endedAt && <When at={run.endedAt} />}</Fact>,
  where: ({ run: { where } }) => (
    <>
      <Fact name="Host">{where?.host}</Fact>
      <Fact name="Folder">
        {where?.cwd && (
          <span class="path">
            <Breakable text={where.cwd} />
          </span>
        )}
      </Fact>
      <Fact name="Session">{where?.session && <span class="path">{where.session}</span>}</Fact>
    </>
  ),
  git: ({ run: { git } }) => <Fact name="Repository">{git?.repository && <Repository remote={git.repository} />}</Fact>,
  usage: ({ run: { usage } }) => (
    <>
      <Fact name="Model">{usage?.model}</Fact>
      <Fact name="Tokens">
        {(usage?.inputTokens ?? usage?.outputTokens) === undefined
          ? '—'
          : `${count(usage?.inputTokens)} in, ${count(usage?.outputTokens)} out`}
        {usage?.cacheReadTokens !== undefined && `, ${count(usage.cacheReadTokens)} of the input read from a cache`}
      </Fact>
      <Fact name="Cost">{costOfUse(usage)}</Fact>
    </>
  ),
  features: ({ run }) => <Fact name="Features">{run.features.length > 0 && <Features run={run} />}</Fact>,
  labels: ({ run }) => <Fact name="Labels">{Object.keys(run.labels).length > 0 && <Labels run={run} />}</Fact>,
  attempt: (props) => <Fact name="Attempts">{props.attempts.length > 1 && <Attempts {...props} />}</Fact>,
  ...all('elsewhere', 'project', 'runId', 'title', 'status', 'verdict', 'evidence', 'why', 'failure', 'activity'),
  ...all('elsewhere', 'content', 'contentType', 'changes', 'links', 'turns', 'specVersion', 'erasedAt'),
  ...all('elsewhere', 'featuresOmitted', 'leaseExpiresAt', 'lastSeenAt', 'agentVersion'),
  ...all('hidden', 'id', 'retryOf', 'required', 'rejudged', 'version', 'updatedAt', 'createdBy', 'updatedBy'),
}

/** The facts of a run beside its work. */
export const RunFacts = (props: Props) => (
  <dl class="about">{Object.values(fields).map((show) => typeof show === 'function' && show(props))}</dl>
)

/** Links to the repository's page if its host is known, also for an SSH remote. */
const Repository = ({ remote }: { remote: string }) => (
  <OuterLink href={forgeOf(remote)?.home ?? remote}>
    <Breakable text={remote} />
  </OuterLink>
)

const Features = ({ run }: Pick<Props, 'run'>) => (
  <span class="tags">
    {run.features.map(({ id, name }) => (
      <a key={id} class="tag" href={href(['features', run.project, id])}>
        {name}
      </a>
    ))}
    {run.featuresOmitted !== undefined && <span>and {run.featuresOmitted.toLocaleString('en')} more</span>}
  </span>
)

const Labels = ({ run }: Pick<Props, 'run'>) => (
  <span class="tags">
    {Object.entries(run.labels).map(([name, value]) => (
      <a key={name} class="tag" href={href(['runs'], { project: run.project, label: `${name}:${value}` })}>
        {name}: {value}
      </a>
    ))}
  </span>
)

const Attempts = ({ run, attempts }: Props) => (
  <ul class="attempts">
    {attempts.map((one) => (
      <li key={one.runId}>
        <Outcome run={{ ...one, failure: null }} />{' '}
        {one.runId === run.runId ? (
          <b>{one.runId}, this one</b>
        ) : (
          <>
            <a href={href(['runs', run.project, one.runId])}>{one.runId}</a>{' '}
            <a href={comparisonHref([{ ...one, project: run.project }, run])}>
              Compare<span class="unseen"> {one.runId} with this one</span>
            </a>
          </>
        )}
      </li>
    ))}
  </ul>
)
