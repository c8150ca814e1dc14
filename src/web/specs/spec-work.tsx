import { evidenceText } from '../../contract/evidence-words.ts'
import type { Check } from '../../nouns/run/check/fields.ts'
import type { Run } from '../../nouns/run/fields.ts'
import type { Spec } from '../../nouns/spec/fields.ts'
import { href } from '../app/router.ts'
import { useMine } from '../data/lists/whose.ts'
import { type Read, useRead } from '../data/query/read.ts'
import { clientOf } from '../data/query/server.ts'
import { endOf } from '../data/runs/run-events.ts'
import { NoneOfYours } from '../ui/begin.tsx'
import { Problem } from '../ui/loading.tsx'
import { Badge, lookOf, Outcome, resultLooks } from '../ui/status.tsx'
import { Author, Visible } from '../ui/text.tsx'
import { Ago } from '../ui/time.tsx'
import { actorText } from '../ui/words.ts'

/** The checks that stand for a spec: the newest of each name, of the person's own runs or of everyone's. */
export function SpecChecks({ project, specId }: Pick<Spec, 'project' | 'specId'>) {
  const mine = useMine()
  const { data, error, isCurrent, reload } = useSpecChecks(project, specId)
  const problem = error ? <Problem error={error} onRetry={reload} /> : null
  if (!data || (data.length === 0 && !mine)) return problem
  return (
    <section class="proof" aria-labelledby="proof" aria-busy={!isCurrent}>
      <h2 id="proof">Checks{mine && ' of your runs'}</h2>
      {problem}
      {data.length === 0 && isCurrent && <NoneOfYours words="No run of yours has checks." />}
      <ul class="rows">
        {data.map(({ id, name, result, command, runId, evidence, createdBy, createdAt }) => (
          <li key={id}>
            <Badge look={lookOf(resultLooks, result)} />
            <b>{name}</b>
            <span class="facts">
              {command && (
                <code>
                  <Visible text={command} />
                </code>
              )}
              <span>{evidenceText(evidence, actorText(createdBy))}</span>
              <a href={href(['runs', project, runId])}>{runId}</a>
            </span>
            <Ago at={createdAt} />
          </li>
        ))}
      </ul>
    </section>
  )
}

interface WorkProps {
  spec: Spec
  /** Whether to read it yet. */
  isWanted: boolean
}

/** How the newest run of a spec stands. */
export function NewestWork({ spec: { project, specId }, isWanted }: WorkProps) {
  const { data: run } = useNewestRun(project, specId, isWanted)
  const none = useMine() ? 'No run of yours' : 'No run yet'
  if (!run) return <span class="muted small">{run === null ? none : '\u00a0'}</span>
  return (
    <span class="newest" title="The newest run">
      <span class="of">Run</span>
      <Outcome run={run} />
      <span class="muted small">
        <Author author={run.author} />
      </span>
      <Ago at={endOf(run)} />
    </span>
  )
}

/** How many of its newest runs are asked for their checks. */
const mostRuns = 100
const pageSize = 100

/** The newest check of each name that counts, over the newest runs of a spec; under *Mine*, over the person's own. */
function useSpecChecks(project: string, specId: string): Read<Check[]> {
  const mine = useMine()
  return useRead(
    `checks of ${project}/${specId} ${mine}`,
    async (signal) => {
      const client = clientOf(project)
      const { runs } = await client.listSpecRuns({ specId, mine, limit: mostRuns }, { signal })
      if (runs.length === 0) return []
      const runId = runs.map((run) => run.runId)
      return newestOf(await Array.fromAsync(client.all('listChecks', { runId, limit: pageSize }, { signal })))
    },
    // A check does not name the spec of its run, and there may be several pages of them.
    { touches: ({ type, project: at }) => at === project && type.startsWith('check.'), restMs: 10_000 },
  )
}

/** The first check of each name that counts. */
function newestOf(checks: readonly Check[]): Check[] {
  const counting = checks.filter(({ counts }) => counts)
  return counting.filter(({ name }, at) => counting.findIndex((one) => one.name === name) === at)
}

/** The newest run of a spec, under *Mine* of the person's own; null if there is none. */
function useNewestRun(project: string, specId: string, isWanted: boolean): Read<Run | null> {
  const mine = useMine()
  return useRead(
    isWanted ? `newest of ${project}/${specId} ${mine}` : '',
    async (signal) => {
      const { runs } = await clientOf(project).listSpecRuns({ specId, mine, limit: 1 }, { signal })
      return runs[0] ?? null
    },
    // An event of a run does not name its spec, so every visible one must look.
    { touches: (event) => event.project === project && bearsOnWork(event.changes), restMs: 10_000 },
  )
}

const bearsOnWork = (changes: object) => ['status', 'verdict', 'specId'].some((field) => field in changes)
