import { useState } from 'preact/hooks'
import type { Project } from '../../nouns/project/fields.ts'
import { goFrom, href } from '../app/router.ts'
import { etagOf } from '../data/query/change.ts'
import { useRead } from '../data/query/read.ts'
import { client } from '../data/query/server.ts'
import { mayAdminister, useSession } from '../data/query/session.ts'
import { forgeOf } from '../data/runs/forge.ts'
import type { PageProps } from '../pages.ts'
import { Form } from '../ui/form.tsx'
import { Head } from '../ui/head.tsx'
import { Problem, Skeleton } from '../ui/loading.tsx'
import { Breakable, Fact, OuterLink } from '../ui/text.tsx'
import { When } from '../ui/time.tsx'
import EraseDialog from './erase-dialog.tsx'
import { ProjectForm } from './project-form.tsx'
import { RetentionForm, retentionWords } from './retention-form.tsx'

/** One project: what it is, and what its admins do to the whole of it. */
export default function ProjectPage({ project: slug }: PageProps) {
  const { data, error, reload } = useRead(`project ${slug}`, (signal) => client.getProject({ slug }, { signal }), {
    touches: ({ type, subject }) => type.startsWith('project.') && subject === slug,
  })
  return (
    <>
      <nav class="crumbs" aria-label="Breadcrumb">
        <a href={href(['projects'])}>Projects</a> / <span>{slug}</span>
      </nav>
      <Head title={data?.project.name ?? slug} />
      {!data && !error && <Skeleton rows={5} />}
      {error && <Problem error={error} onRetry={reload} />}
      {data && error?.code !== 'NOT_FOUND' && <Shown project={data.project} onChange={reload} />}
    </>
  )
}

type ProjectAction = 'edit' | 'retention' | 'erase' | 'delete'

interface ShownProps {
  project: Project
  /** Reads the project again, after a change here or by someone else. The stream of events may bring that late. */
  onChange: () => void
}

function Shown({ project, onChange }: ShownProps) {
  const { slug, repository, createdAt, updatedAt } = project
  const isAdmin = mayAdminister(useSession())
  const [action, setAction] = useState<ProjectAction>()
  return (
    <>
      <div class="actions">
        <a class="button" href={href(['runs'], { project: slug })}>
          Show runs
        </a>
        {isAdmin && (
          <button type="button" onClick={() => setAction('edit')}>
            Edit project
          </button>
        )}
      </div>
      <dl class="about wide">
        <Fact name="Slug">{slug}</Fact>
        <Fact name="Repository">
          {repository && (
            <OuterLink href={forgeOf(repository)?.home ?? repository}>
              <Breakable text={repository} />
            </OuterLink>
          )}
        </Fact>
        <Fact name="Created">
          <When at={createdAt} />
        </Fact>
        <Fact name="Changed">
          <When at={updatedAt} />
        </Fact>
        <Fact name="Retention">{retentionWords(project.retention)}</Fact>
      </dl>
      {isAdmin && <Removal slug={slug} onAction={setAction} />}
      {action && <Opened action={action} project={project} onClose={() => setAction(undefined)} onChange={onChange} />}
    </>
  )
}

interface OpenedProps extends ShownProps {
  action: ProjectAction
  onClose: () => void
}

function Opened({ action, project, onClose, onChange }: OpenedProps) {
  const props = { project, onClose, onChange }
  if (action === 'edit') return <ProjectForm {...props} />
  if (action === 'retention') return <RetentionForm {...props} />
  if (action === 'delete') return <DeleteProjectForm project={project} onClose={onClose} onConflict={onChange} />
  const { slug } = project
  return (
    <EraseDialog title={`Erase all texts of ${slug}?`} project={slug} input={{ everything: true }} onClose={onClose} />
  )
}

/** What removes things for good. Only an admin of the whole server deletes a project. */
function Removal({ slug, onAction }: { slug: string; onAction: (action: ProjectAction) => void }) {
  const isOfServer = !useSession().key?.project
  return (
    <section aria-labelledby="removal">
      <h2 id="removal">Remove for good</h2>
      <ul class="rows deeds">
        <Row title="Retention" label="Change retention" onClick={() => onAction('retention')}>
          The server removes old runs by itself: first their texts, later the runs.
        </Row>
        <Row title="Erase all texts" isDanger label="Erase all texts" onClick={() => onAction('erase')}>
          Titles, prompts, answers, logs, specs and checks lose their texts. Ids, times and figures stay.
        </Row>
        {isOfServer && slug !== 'default' && (
          <Row title="Delete the project" isDanger label="Delete project" onClick={() => onAction('delete')}>
            Deletes everything in it, revokes its keys and deletes its webhooks.
          </Row>
        )}
      </ul>
    </section>
  )
}

interface RowProps {
  title: string
  label: string
  isDanger?: boolean
  onClick: () => void
  children: string
}

const Row = ({ title, label, isDanger = false, onClick, children }: RowProps) => (
  <li>
    <div class="what">
      <p class="title">{title}</p>
      <p class="muted small">{children}</p>
    </div>
    <button type="button" class={isDanger ? 'danger' : undefined} onClick={onClick}>
      {label}
    </button>
  </li>
)

interface DeleteProps {
  project: Project
  onClose: () => void
  onConflict: () => void
}

/** Deletes a project once its name is typed. */
function DeleteProjectForm({ project: { slug, name, version }, onClose, onConflict }: DeleteProps) {
  const [typed, setTyped] = useState('')
  const work = async () => {
    await client.deleteProject({ slug, confirm: typed, ifVersion: etagOf({ id: slug, version }) })
    goFrom(['projects', slug], href(['projects']))
  }
  return (
    <Form
      title={`Delete project ${slug}?`}
      label="Delete project"
      isDanger
      isReady={typed === name}
      work={work}
      onClose={onClose}
      onConflict={onConflict}
    >
      <p>
        This deletes all its runs, specs, checks and features for good, and erases their texts in the log of events. It
        also revokes its keys and deletes its webhooks.
      </p>
      <label class="field">
        <span>
          Type the project’s name, <b>{name}</b>
        </span>
        <input value={typed} required autocomplete="off" onInput={(event) => setTyped(event.currentTarget.value)} />
      </label>
    </Form>
  )
}
