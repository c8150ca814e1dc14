import type { Output } from '../../client/client.ts'
import { href, type Route } from '../app/router.ts'
import { useRead } from '../data/read.ts'
import { clientOf } from '../data/server.ts'
import { Markdown } from '../runs/log.tsx'
import { Ago } from '../ui/ago.tsx'
import { Command } from '../ui/copy.tsx'
import { Head } from '../ui/head.tsx'
import { Problem } from '../ui/problem.tsx'
import { Badge } from '../ui/status.tsx'
import { Tabs } from '../ui/tabs.tsx'
import { bearsOnTotals } from './spec-card.tsx'
import { SpecFacts } from './spec-facts.tsx'
import { SpecMove } from './spec-move.tsx'
import { SpecRuns } from './spec-runs.tsx'
import { Checklist, specLooks } from './spec-status.tsx'
import { SpecVersions } from './spec-versions.tsx'

type FullSpec = Output<'getSpec'>['spec']

interface Props {
  project: string
  specId: string
  route: Route
}

/** One spec: what is left of it, what it says and said, and which runs were built from it. */
export default function SpecPage({ project, specId, route }: Props) {
  const { data, error, reload } = useRead('spec', (signal) => clientOf(project).getSpec({ specId }, { signal }), {
    touches: (event) =>
      event.project === project &&
      (event.type.startsWith('spec.') ? event.subject === specId : bearsOnTotals(event.changes)),
    restMs: 1000,
  })
  if (data && error?.code !== 'NOT_FOUND') return <Shown spec={data.spec} route={route} onConflict={reload} />
  return (
    <>
      <Head title={specId} />
      {error && <Problem error={error} onRetry={reload} />}
    </>
  )
}

const views = { spec: 'Spec', runs: 'Runs', versions: 'Versions' }

function Shown({ spec, route, onConflict }: { spec: FullSpec; route: Route; onConflict: () => void }) {
  const { project, specId } = spec
  const asked = route.query.get('view')
  const view = asked === 'runs' || asked === 'versions' ? asked : 'spec'
  return (
    <>
      <nav class="crumbs" aria-label="Breadcrumb">
        <a href={href(['specs'])}>Specs</a> / <a href={href(['specs'], { project })}>{project}</a> /{' '}
        <span>{specId}</span>
      </nav>
      <Head title={spec.title ?? specId} tab={`${specId} ${spec.title ?? ''}`} />
      <p class="standing">
        <Badge look={specLooks[spec.status]} />
        <Checklist checklist={spec.checklist} />
        <span class="muted">version {spec.version}</span>
        <span class="muted">
          changed <Ago at={spec.updatedAt} />
        </span>
      </p>
      <div class="actions">
        <Command text={`conduct exec --spec-id ${specId} -- claude -p 'Do what is left of ${specId}'`} />
        <SpecMove spec={spec} onConflict={onConflict} />
      </div>
      <div class="beside">
        <div>
          <Tabs label="Views" views={views} view={view} route={route} />
          {view === 'spec' && <Words spec={spec} />}
          {view === 'runs' && <SpecRuns project={project} specId={specId} />}
          {view === 'versions' && <SpecVersions spec={spec} route={route} />}
        </div>
        <aside aria-label="About this spec">
          <SpecFacts spec={spec} />
        </aside>
      </div>
    </>
  )
}

/** What is left first, since that is what the next attempt is for. */
function Words({ spec: { content, checklist } }: { spec: FullSpec }) {
  const open = openItemsOf(content)
  return (
    <>
      {checklist.total > 0 && (
        <section class="left" aria-labelledby="left">
          <h2 id="left">
            What is left <span class="muted">{open.length}</span>
          </h2>
          {open.length > 0 ? <Markdown text={open.join('\n')} /> : <p>Nothing: all items of the checklist are done.</p>}
        </section>
      )}
      <section aria-label="The whole spec">
        {content === '' ? <p class="empty">This spec is empty.</p> : <Markdown text={content} />}
      </section>
    </>
  )
}

/** The items of a checklist that are not ticked, as the server counts them. */
const openItemsOf = (content: string): string[] =>
  (content.match(/^[ \t]*(?:[-*+]|\d+[.)]) \[ \] .*$/gm) ?? []).map((line) => line.replace(/^.*?\[ \]/, '- [ ]'))
