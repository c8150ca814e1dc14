import { useState } from 'preact/hooks'
import type { Project } from '../../api/project.ts'
import { href } from '../app/router.ts'
import { useList } from '../data/list.ts'
import { client } from '../data/server.ts'
import { may, useSession } from '../data/session.ts'
import { etagOf } from '../data/version.ts'
import { Ago } from '../ui/ago.tsx'
import { Form } from '../ui/form.tsx'
import { Head } from '../ui/head.tsx'
import { More } from '../ui/more.tsx'
import { OuterLink } from '../ui/outer-link.tsx'

/** The projects, for admins: made by those of the whole server, renamed by those of the project too. */
export default function Projects() {
  const session = useSession()
  const [form, setForm] = useState<Project | 'new'>()
  const list = useList(
    'projects',
    async (page, options) => {
      const { projects, meta } = await client.listProjects(page, options)
      return { items: projects, nextCursor: meta.nextCursor }
    },
    { touches: ({ type }) => type.startsWith('project.') },
  )
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
          <Row key={project.slug} project={project} onChange={isAdmin ? () => setForm(project) : undefined} />
        ))}
      </ul>
      <More list={list} />
      {form === 'new' && <ProjectForm onClose={close} />}
      {form && form !== 'new' && <ProjectForm project={form} onClose={close} onConflict={list.reload} />}
    </>
  )
}

interface RowProps {
  project: Project
  /** Where it may be changed. */
  onChange: (() => void) | undefined
}

const Row = ({ project: { slug, name, repository, createdAt }, onChange }: RowProps) => (
  <li>
    <div class="what">
      <a class="title" href={href(['runs'], { project: slug })}>
        {name}
      </a>
      <span class="facts">
        <span>{slug}</span>
        {repository && <OuterLink href={repository} />}
        <span>
          created <Ago at={createdAt} />
        </span>
      </span>
    </div>
    {onChange && (
      <button type="button" onClick={onChange}>
        Change<span class="unseen"> {slug}</span>
      </button>
    )}
  </li>
)

interface FormProps {
  /** The one to change; without it a new one is made. */
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
      deed={project ? 'Save' : 'Create key'}
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
