import { useState } from 'preact/hooks'
import type { Output } from '../../client/client.ts'
import type { Event } from '../../log/fields.ts'
import { href } from '../app/router.ts'
import { useList } from '../data/query/list.ts'
import { useRead } from '../data/query/read.ts'
import { client } from '../data/query/server.ts'
import { mayAdminister, useSession } from '../data/query/session.ts'
import { forgeOf } from '../data/runs/forge.ts'
import { shareOf } from '../trends/measures.ts'
import { Head } from '../ui/head.tsx'
import { More, Skeleton } from '../ui/loading.tsx'
import { LastRun } from '../ui/status.tsx'
import { OuterLink } from '../ui/text.tsx'
import { Ago } from '../ui/time.tsx'
import { costOf, knownFor, plural } from '../ui/words.ts'
import { EraseTextDialog } from './erase-dialog.tsx'
import { ProjectForm } from './project-form.tsx'

const isOfProject = ({ type }: Event) => type.startsWith('project.')

/** The projects, for admins. Only server admins create them. */
export default function Projects() {
  const session = useSession()
  const [form, setForm] = useState<'new' | 'erase'>()
  const list = useList('projects', 'projects', (page, options) => client.listProjects(page, options), {
    touches: (event) => isOfProject(event) || event.type.startsWith('run.'),
    isUrgent: isOfProject,
    restMs: 5000,
  })
  const recent = useRead('projects by run', (signal) => client.stats({ by: 'project' }, { signal }), {
    touches: ({ type }) => type.startsWith('run.'),
    restMs: 10_000,
  })
  const sums = new Map(recent.data?.groups?.map((group) => [group.value, group]))
  const close = () => {
    setForm(undefined)
    // Without waiting for its event, which a lost stream brings late.
    list.reload()
  }
  const isAdmin = mayAdminister(session)
  return (
    <>
      <Head title="Projects">
        {isAdmin && (
          <button type="button" onClick={() => setForm('erase')}>
            Erase a text
          </button>
        )}
        {isAdmin && !session.key?.project && (
          <button type="button" class="main" onClick={() => setForm('new')}>
            New project
          </button>
        )}
      </Head>
      {!list.isRead && !list.error && <Skeleton rows={6} />}
      <ul class="rows keyed">
        {list.items.map((project) => (
          <Row key={project.slug} project={project} sum={sums.get(project.slug)} isSummed={recent.data !== undefined} />
        ))}
      </ul>
      <More list={list} />
      {form === 'new' && <ProjectForm onClose={close} />}
      {form === 'erase' && <EraseTextDialog onClose={close} />}
    </>
  )
}

type Sum = NonNullable<Output<'stats'>['groups']>[number]

interface RowProps {
  project: Output<'listProjects'>['projects'][number]
  /** The totals of its runs of the last 30 days; undefined if there are none or they are not loaded. */
  sum: Sum | undefined
  isSummed: boolean
}

function Row({ project, sum, isSummed }: RowProps) {
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
          <a href={href(['trends'], { project: slug })}>
            {isSummed ? `${plural(sum?.runs ?? 0, 'run')} in 30 days` : 'Trends'}
          </a>
          {sum && (
            <>
              <span>{shareOf(sum.byVerdict.verified, sum.runs)} verified</span>
              <span title={`Cost, ${knownFor(sum.costed, sum.runs)}`}>{costOf(sum.costUsd)}</span>
            </>
          )}
        </span>
        <LastRun project={slug} run={lastRun} />
      </div>
      <a class="button" href={href(['projects', slug])}>
        Settings<span class="unseen"> of {slug}</span>
      </a>
    </li>
  )
}
