import { useState } from 'preact/hooks'
import type { Project } from '../../api/project.ts'
import { href } from '../app/router.ts'
import { forgeOf } from '../data/forge.ts'
import { useRead } from '../data/read.ts'
import { client } from '../data/server.ts'
import { mayAdminister, useSession } from '../data/session.ts'
import { When } from '../ui/ago.tsx'
import { Fact } from '../ui/fact.tsx'
import { Head } from '../ui/head.tsx'
import { OuterLink } from '../ui/outer-link.tsx'
import { Problem } from '../ui/problem.tsx'
import { Skeleton } from '../ui/skeleton.tsx'
import EraseDialog from './erase-dialog.tsx'
import { ProjectForm } from './project-form.tsx'

/** One project: what it is, and what its admins do to the whole of it. */
export default function ProjectPage({ slug }: { slug: string }) {
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
      {data && error?.code !== 'NOT_FOUND' && <Shown project={data.project} onConflict={reload} />}
    </>
  )
}

type Deed = 'edit' | 'erase'

function Shown({ project, onConflict }: { project: Project; onConflict: () => void }) {
  const { slug, repository, createdAt, updatedAt } = project
  const isAdmin = mayAdminister(useSession())
  const [deed, setDeed] = useState<Deed>()
  const close = () => setDeed(undefined)
  return (
    <>
      <div class="actions">
        <a class="button" href={href(['runs'], { project: slug })}>
          Show runs
        </a>
        {isAdmin && (
          <button type="button" onClick={() => setDeed('edit')}>
            Edit project
          </button>
        )}
      </div>
      <dl class="about wide">
        <Fact name="Slug">{slug}</Fact>
        <Fact name="Repository">
          {repository && <OuterLink href={forgeOf(repository)?.home ?? repository}>{repository}</OuterLink>}
        </Fact>
        <Fact name="Created">
          <When at={createdAt} />
        </Fact>
        <Fact name="Changed">
          <When at={updatedAt} />
        </Fact>
      </dl>
      {isAdmin && <Dangers onDeed={setDeed} />}
      {deed === 'edit' && <ProjectForm project={project} onClose={close} onConflict={onConflict} />}
      {deed === 'erase' && (
        <EraseDialog
          title={`Erase all texts of ${slug}?`}
          project={slug}
          input={{ everything: true }}
          onClose={close}
        />
      )}
    </>
  )
}

/** What cannot be undone. */
function Dangers({ onDeed }: { onDeed: (deed: Deed) => void }) {
  return (
    <section aria-labelledby="dangers">
      <h2 id="dangers">Cannot be undone</h2>
      <ul class="rows deeds">
        <li>
          <div class="what">
            <p class="title">Erase all texts</p>
            <p class="muted small">
              Titles, prompts, answers, logs, specs and checks lose their texts. Ids, times and figures stay.
            </p>
          </div>
          <button type="button" class="danger" onClick={() => onDeed('erase')}>
            Erase all texts
          </button>
        </li>
      </ul>
    </section>
  )
}
