import { useState } from 'preact/hooks'
import type { Project } from '../../api/project.ts'
import type { Output } from '../../client/client.ts'
import { href } from '../app/router.ts'
import { forgeOf } from '../data/forge.ts'
import { useList } from '../data/list.ts'
import { useRead } from '../data/read.ts'
import { client } from '../data/server.ts'
import { may, useSession } from '../data/session.ts'
import { etagOf } from '../data/version.ts'
import { plural } from '../runs/changes.tsx'
import { shareOf } from '../trends/measures.ts'
import { Ago } from '../ui/ago.tsx'
import { costOf } from '../ui/cost.ts'
import { Form } from '../ui/form.tsx'
import { Head } from '../ui/head.tsx'
import { LastRun } from '../ui/last-run.tsx'
import { More } from '../ui/more.tsx'
import { OuterLink } from '../ui/outer-link.tsx'

/** The projects, for admins. Server admins create them; project admins may rename theirs. */
export default function Projects() {
  const session = useSession()
  const [form, setForm] = useState<Project | 'new'>()
  const list = useList(
    'projects',
    async (page, options) => {
      const { projects, meta } = await client.listProjects(page, options)
      return { items: projects, nextCursor: meta.nextCursor }
    },
    { touches: ({ type }) => /^(project|run)\./.test(type), restMs: 5000 },
  )
  const recent = useRead('projects by run', (signal) => client.stats({ by: 'project' }, { signal }), {
    touches: ({ type }) => type.startsWith('run.'),
    restMs: 10_000,
  })
  const sums = new Map(recent.data?.groups?.map((group) => [group.value, group]))
  const close = () => setForm(undefined)
  const isAdmin = may(session, 'admin')
  return (
    <>
      <Head title="Projects">
        {isAdmin && !session.key?.project && (
          <button type="button" class="main" onClick={() => setForm('new')}>
            New project
          </button>
        )}
      </Head>
      <ul class="rows keyed">
        {list.items.map((project) => (
          <Row
            key={project.slug}
            project={project}
            sum={sums.get(project.slug)}
            isSummed={recent.data !== undefined}
            onChange={isAdmin ? () => setForm(project) : undefined}
          />
        ))}
      </ul>
      <More list={list} />
      {form === 'new' && <ProjectForm onClose={close} />}
      {form && form !== 'new' && <ProjectForm project={form} onClose={close} onConflict={list.reload} />}
    </>
  )
}

type Sum = NonNullable<Output<'stats'>['groups']>[number]

interface RowProps {
  project: Output<'listProjects'>['projects'][number]
  /** The totals of its runs of the last 30 days; undefined if there are none or they are not loaded. */
  sum: Sum | undefined
  isSummed: boolean
  /** Undefined if it may not be changed. */
  onChange: (() => void) | undefined
}

function Row({ project, sum, isSummed, onChange }: RowProps) {
  const { slug, name, repository, createdAt, lastRun } = project
  return (
    <li>
      <div class="what">
        <a class="title" href={href(['runs'], { project: slug })}>
          {name}
        </a>
        <span class="facts">
          <span>{slug}</span>
          {repository && <OuterLink href={forgeOf(repository)?.home ?? repository}>{repository}</OuterLink>}
          <span>
            created <Ago at={createdAt} />
          </span>
        </span>
      </div>
      <div class="figured">
        <span class="facts">
          {isSummed && <a href={href(['trends'], { project: slug })}>{plural(sum?.runs ?? 0, 'run')} in 30 days</a>}
          {sum && (
            <>
              <span>{shareOf(sum.byVerdict.verified, sum.runs)} verified</span>
              <span title={`Cost, known for ${sum.costed} of ${sum.runs} runs`}>{costOf(sum.costUsd)}</span>
            </>
          )}
        </span>
        <LastRun project={slug} run={lastRun} />
      </div>
      {onChange && (
        <button type="button" onClick={onChange}>
          Change<span class="unseen"> {slug}</span>
        </button>
      )}
    </li>
  )
}

interface FormProps {
  /** The project to change; without one, creates a new project. */
  project?: Project
  onClose: () => void
  onConflict?: () => void
}

function ProjectForm({ project, onClose, onConflict }: FormProps) {
  const [slug, setSlug] = useState('')
  const [name, setName] = useState(project?.name ?? '')
  const [repository, setRepository] = useState(project?.repository ?? '')
  const work = () =>
    project
      ? client.updateProject({
          slug: project.slug,
          name,
          repository: repository || null,
          ifVersion: etagOf({ id: project.slug, version: project.version }),
        })
      : client.createProject({ slug, name: name || undefined, repository: repository || undefined })
  return (
    <Form
      title={project ? `Change ${project.slug}` : 'New project'}
      deed={project ? 'Save' : 'Create project'}
      work={work}
      onClose={onClose}
      onConflict={onConflict}
    >
      {!project && (
        <label class="field">
          Slug: what commands and addresses call it; it never changes
          <input value={slug} required placeholder="shop" onInput={(event) => setSlug(event.currentTarget.value)} />
        </label>
      )}
      <label class="field">
        Name
        <input value={name} required={!!project} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      <label class="field">
        Repository
        <input
          value={repository}
          placeholder="https://example.com/shop.git"
          onInput={(event) => setRepository(event.currentTarget.value)}
        />
      </label>
    </Form>
  )
}
