import { useState } from 'preact/hooks'
import type { Output } from '../../client/client.ts'
import { go, href, type Route } from '../app/router.ts'
import { useScope } from '../data/lists/projects.ts'
import { useMine } from '../data/lists/whose.ts'
import { useList } from '../data/query/list.ts'
import { useRead } from '../data/query/read.ts'
import { clientOf } from '../data/query/server.ts'
import { may, mayAdminister, useSession } from '../data/query/session.ts'
import { RunBriefs } from '../now/brief.tsx'
import type { PageProps } from '../pages.ts'
import { loadMarkdown, Markdown } from '../runs/log.tsx'
import { Command } from '../ui/copy.tsx'
import { Head, Tabs } from '../ui/head.tsx'
import { lazy, Problem, Skeleton } from '../ui/loading.tsx'
import { Menu, MoreActions } from '../ui/menu.tsx'
import { Badge, lookOf } from '../ui/status.tsx'
import { ErasedAt, When } from '../ui/time.tsx'
import { actorText } from '../ui/words.ts'
import { unsavedText } from './edited.ts'
import { bearsOnTotals } from './spec-card.tsx'
import { SpecMove } from './spec-move.tsx'
import { Checklist, newSpecAddress, SpecFacts, specLooks } from './spec-status.tsx'
import { numberIn, SpecVersions } from './spec-versions.tsx'
import { SpecChecks } from './spec-work.tsx'

const EraseDialog = lazy(() => import('../admin/erase-dialog.tsx'))
const SpecEditor = lazy(() => import('./spec-editor.tsx'))

type FullSpec = Output<'getSpec'>['spec']

/** A spec: what is left to do, its text and versions, and its runs. */
export default function SpecPage({ project, id: specId, route }: PageProps) {
  const { data, error, reload } = useRead('spec', (signal) => readSpec(project, specId, signal), {
    touches: (event) =>
      event.project === project &&
      (event.type.startsWith('spec.') ? event.subject === specId : bearsOnTotals(event.changes)),
    restMs: 1000,
  })
  const spec = error?.code === 'NOT_FOUND' ? undefined : data?.spec
  return (
    <>
      <SpecCrumbs project={project} specId={specId} />
      <Head title={spec?.title ?? specId} tab={`${specId} ${spec?.title ?? ''}`} />
      {spec && <Shown spec={spec} route={route} onChange={reload} />}
      {!spec && !error && <Skeleton rows={8} />}
      {error?.code === 'NOT_FOUND' && <UnwrittenSpec project={project} specId={specId} />}
      {error && error.code !== 'NOT_FOUND' && !spec && <Problem error={error} onRetry={reload} />}
    </>
  )
}

async function readSpec(project: string, specId: string, signal: AbortSignal) {
  const [answer] = await Promise.all([clientOf(project).getSpec({ specId }, { signal }), loadMarkdown()])
  return answer
}

const views = { spec: 'Spec', runs: 'Runs', versions: 'Versions' }

interface ShownProps {
  spec: FullSpec
  route: Route
  /** Reads the spec again, after a change here or by someone else. The stream of events may bring that late. */
  onChange: () => void
}

function Shown({ spec, route, onChange }: ShownProps) {
  const { project, specId } = spec
  const version = numberIn(route, 'version') ?? spec.version
  const asked = version === spec.version ? route.query.get('view') : 'versions'
  const view = asked === 'runs' || asked === 'versions' ? asked : 'spec'
  const isEditing = may(useSession(), 'agent') && asked === 'edit'
  return (
    <>
      <Standing spec={spec} />
      {isEditing ? (
        <SpecEditor spec={spec} onSaved={onChange} onClose={() => go(href(route.path))} />
      ) : (
        <>
          <SpecActions spec={spec} route={route} onChange={onChange} />
          <div class="beside">
            <div>
              <Tabs views={views} view={view} route={route} />
              {view === 'spec' && <SpecChecks project={project} specId={specId} />}
              {view === 'spec' && <Words spec={spec} />}
              {view === 'runs' && <SpecRuns project={project} specId={specId} />}
              {view === 'versions' && <SpecVersions spec={spec} route={route} />}
            </div>
            <aside aria-label="About this spec">
              <SpecFacts spec={spec} />
            </aside>
          </div>
        </>
      )}
    </>
  )
}

function SpecActions({ spec, route, onChange }: ShownProps) {
  const session = useSession()
  const { project, specId } = spec
  const [isErasing, setErasing] = useState(false)
  return (
    <div class="actions">
      {may(session, 'agent') && (
        <a class="button" href={href(route.path, { view: 'edit' })}>
          Edit spec
        </a>
      )}
      <SpecMove spec={spec} onMoved={onChange} onConflict={onChange} />
      {mayAdminister(session) && (
        <Menu label={<MoreActions />}>
          <button type="button" class="danger" onClick={() => setErasing(true)}>
            Erase texts
          </button>
        </Menu>
      )}
      {spec.status !== 'completed' && spec.status !== 'archived' && (
        <Command
          text={`conduct exec --project ${project} --spec-id ${specId} -- claude -p 'Do what is left of ${specId}'`}
        />
      )}
      {isErasing && (
        <EraseDialog
          title={`Erase the texts of ${specId}?`}
          project={project}
          input={{ specId }}
          onClose={() => setErasing(false)}
        />
      )}
    </div>
  )
}

function Standing({ spec }: { spec: FullSpec }) {
  return (
    <p class="standing">
      <Badge look={lookOf(specLooks, spec.status)} />
      <Checklist checklist={spec.checklist} />
      <span class="muted">version {spec.version}</span>
      <span class="muted">
        changed <When at={spec.updatedAt} /> by {actorText(spec.updatedBy)}
      </span>
      <ErasedAt at={spec.erasedAt} />
    </p>
  )
}

/** What is left comes first, because that is what the next attempt is for. */
function Words({ spec: { title, content, checklist } }: { spec: FullSpec }) {
  const open = openItemsOf(content)
  return (
    <>
      {checklist.total > 0 && (
        <section class={open.length > 0 ? 'still-to-do' : 'still-to-do none'} aria-labelledby="left">
          <h2 id="left">
            What is left <span class="muted">{open.length}</span>
          </h2>
          {open.length > 0 ? <Markdown text={open.join('\n')} /> : <p>Nothing: all items of the checklist are done.</p>}
        </section>
      )}
      <section aria-label="The whole spec">
        {content === '' ? <p class="empty">This spec is empty.</p> : <Markdown text={withoutTitle(content, title)} />}
      </section>
    </>
  )
}

/** A text without the heading that the page shows as its title. */
function withoutTitle(content: string, title: string | null): string {
  const [first = '', ...rest] = content.trimStart().split('\n')
  return /^#[ \t]/.test(first) && first.slice(1).trim() === title ? rest.join('\n') : content
}

/** The open items of a checklist, as the server counts them. */
const openItemsOf = (content: string): string[] =>
  (content.match(/(?<![^\r\n])[ \t]*(?:[-*+]|\d+[.)]) \[ \] [^\r\n]*/g) ?? []).map((line) =>
    line.replace(/^[^[]*\[ \]/, '- [ ]'),
  )

interface SpecName {
  project: string
  specId: string
}

const SpecCrumbs = ({ project, specId }: SpecName) => (
  <nav class="crumbs" aria-label="Breadcrumb">
    <a href={href(['specs'], { project: useScope() })}>Specs</a> / <a href={href(['specs'], { project })}>{project}</a>{' '}
    / <span>{specId}</span>
  </nav>
)

/** A spec that only runs mention: nobody has written it yet, or somebody deleted it, perhaps while it was edited here. */
function UnwrittenSpec({ project, specId }: SpecName) {
  const isKept = unsavedText({ project, specId }) !== undefined
  return (
    <>
      <div class="empty">
        <p>
          There is no spec {specId} in project {project}: nobody has written it yet, or it was deleted. Runs can name a
          spec before it is written.
        </p>
        {isKept && <p role="alert">Your unsaved text is kept: write this spec to go on with it.</p>}
        {may(useSession(), 'agent') && (
          <a class="button main" href={newSpecAddress(project, specId)}>
            Write this spec
          </a>
        )}
      </div>
      <section aria-labelledby="runs-naming-it">
        <h2 id="runs-naming-it">Runs that name it</h2>
        <SpecRuns project={project} specId={specId} />
      </section>
    </>
  )
}

/** The runs of a spec, newest first, each with its attempt and the version of the spec it used. */
function SpecRuns({ project, specId }: SpecName) {
  const mine = useMine()
  const list = useList(
    `runs of ${project}/${specId} ${mine}`,
    'runs',
    (page, options) => clientOf(project).listSpecRuns({ specId, mine, ...page }, options),
    { touches: (event) => event.project === project && event.type.startsWith('run.'), restMs: 1000 },
  )
  return (
    <RunBriefs
      list={list}
      note={({ attempt, specVersion }) => `attempt ${attempt}${specVersion ? `, v${specVersion}` : ''}`}
    >
      <p>No runs of this spec yet. To start the first:</p>
      <Command text={`conduct exec --project ${project} --spec-id ${specId} -- claude -p 'Build ${specId}'`} />
    </RunBriefs>
  )
}
