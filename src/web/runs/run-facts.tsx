import type { Output } from '../../client/client.ts'
import type { TimelineEntry } from '../../nouns/run/timeline-fields.ts'
import { href } from '../app/router.ts'
import { forgeOf } from '../data/runs/forge.ts'
import { Fact } from '../ui/fact.tsx'
import { Status } from '../ui/status.tsx'
import { Breakable, OuterLink, Visible } from '../ui/text.tsx'
import { When } from '../ui/time.tsx'
import { costOf } from '../ui/words.ts'

type FullRun = Output<'getRun'>['run']

interface Props {
  run: FullRun
  attempts: Extract<TimelineEntry, { kind: 'attempt' }>['run'][]
}

const count = (value: number | undefined) => value?.toLocaleString('en') ?? '—'

/** The facts of a run beside its work. */
export function RunFacts({ run, attempts }: Props) {
  const { where, usage, git } = run
  return (
    <dl class="about">
      <Fact name="Spec">
        {run.specId && (
          <a href={href(['specs', run.project, run.specId])}>
            {run.specId}
            {run.specVersion !== null && ` v${run.specVersion}`}
          </a>
        )}
      </Fact>
      <Fact name="Agent">{run.agent}</Fact>
      <Fact name="Author">{run.author}</Fact>
      <Fact name="Command">
        {run.command && (
          <code>
            <Visible text={run.command} />
          </code>
        )}
      </Fact>
      <Fact name="Exit code">{run.exitCode}</Fact>
      <Fact name="Created">{<When at={run.createdAt} />}</Fact>
      <Fact name="Started">{run.startedAt && <When at={run.startedAt} />}</Fact>
      <Fact name="Ended">{run.endedAt && <When at={run.endedAt} />}</Fact>
      <Fact name="Host">{where?.host}</Fact>
      <Fact name="Folder">
        {where?.cwd && (
          <span class="path">
            <Breakable text={where.cwd} />
          </span>
        )}
      </Fact>
      <Fact name="Session">{where?.session && <span class="path">{where.session}</span>}</Fact>
      <Fact name="Repository">{git?.repository && <Repository remote={git.repository} />}</Fact>
      <Fact name="Model">{usage?.model}</Fact>
      <Fact name="Tokens">
        {(usage?.inputTokens ?? usage?.outputTokens) === undefined
          ? '—'
          : `${count(usage?.inputTokens)} in, ${count(usage?.outputTokens)} out`}
      </Fact>
      <Fact name="Cost">
        {usage?.costSource === 'estimated' && '≈ '}
        {costOf(usage?.costUsd)}
      </Fact>
      <Fact name="Features">{run.features.length > 0 && <Features run={run} />}</Fact>
      <Fact name="Labels">{Object.keys(run.labels).length > 0 && <Labels run={run} />}</Fact>
      <Fact name="Attempts">{attempts.length > 1 && <Attempts run={run} attempts={attempts} />}</Fact>
    </dl>
  )
}

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
        <Status run={{ ...one, failure: null }} />{' '}
        {one.runId === run.runId ? (
          <b>{one.runId}, this one</b>
        ) : (
          <a href={href(['runs', run.project, one.runId])}>{one.runId}</a>
        )}
      </li>
    ))}
  </ul>
)
