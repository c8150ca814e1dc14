import type { Feature } from '../../nouns/feature/fields.ts'
import { href } from '../app/router.ts'
import { useScope } from '../data/lists/projects.ts'
import { useMine } from '../data/lists/whose.ts'
import { useList } from '../data/query/list.ts'
import { useRead } from '../data/query/read.ts'
import { clientOf } from '../data/query/server.ts'
import { CountOf, RunBriefs } from '../now/brief.tsx'
import type { PageProps } from '../pages.ts'
import { loadMarkdown, Markdown } from '../runs/log.tsx'
import { Command } from '../ui/copy.tsx'
import { Head } from '../ui/head.tsx'
import { Problem, Skeleton } from '../ui/loading.tsx'
import { Fact } from '../ui/text.tsx'
import { Ago } from '../ui/time.tsx'

/** A feature: the runs that touched it, when, and their results. */
export default function FeaturePage({ project, id }: PageProps) {
  const number = Number(id)
  const { data, error, reload } = useRead('feature', (signal) => readFeature(project, number, signal), {
    touches: (event) => event.project === project && event.type.startsWith('feature.'),
  })
  const feature = error?.code === 'NOT_FOUND' ? undefined : data?.feature
  return (
    <>
      <nav class="crumbs" aria-label="Breadcrumb">
        <a href={href(['features'], { project: useScope() })}>Features</a> /{' '}
        <a href={href(['features'], { project })}>{project}</a> / <span>{number}</span>
      </nav>
      <Head title={feature?.name ?? `Feature ${number}`} />
      {feature && <Shown feature={feature} />}
      {!feature && !error && <Skeleton rows={8} />}
      {!feature && error && <Problem error={error} onRetry={reload} />}
    </>
  )
}

async function readFeature(project: string, id: number, signal: AbortSignal) {
  const [answer] = await Promise.all([clientOf(project).getFeature({ id }, { signal }), loadMarkdown()])
  return answer
}

function Shown({ feature }: { feature: Feature }) {
  const { id, project, file, description, createdAt, updatedAt, erasedAt } = feature
  const mine = useMine()
  const list = useList(
    `runs of ${id} ${mine}`,
    'runs',
    (page, options) => clientOf(project).listFeatureRuns({ id, mine, ...page }, options),
    { touches: (event) => event.project === project && event.type.startsWith('run.'), restMs: 1000 },
  )
  return (
    <div class="beside">
      <div>
        {description && <Markdown text={description} />}
        <section aria-labelledby="touched">
          <h2 id="touched">
            {mine ? 'Your runs' : 'Runs'} that touched it <CountOf list={list} />
          </h2>
          <RunBriefs list={list} note={({ specId }) => specId ?? ''}>
            <p>No run has touched this feature yet. To link a run:</p>
            <Command text={`conduct run link --project ${project} RUN-001 ${id}`} />
          </RunBriefs>
        </section>
      </div>
      <aside aria-label="About this feature">
        <dl class="about">
          <Fact name="File">{file && <span class="path">{file}</span>}</Fact>
          <Fact name="Number">{id}</Fact>
          <Fact name="Created">
            <Ago at={createdAt} />
          </Fact>
          <Fact name="Changed">
            <Ago at={updatedAt} />
          </Fact>
          <Fact name="Texts erased">{erasedAt && <Ago at={erasedAt} />}</Fact>
        </dl>
      </aside>
    </div>
  )
}
