import { useContext } from 'preact/hooks'
import { LanesContext } from '../data/lists/lanes.ts'
import { useProjects, useScope } from '../data/lists/projects.ts'
import { useSession } from '../data/query/session.ts'
import { isScoped, pageAt } from '../pages.ts'
import { Head } from '../ui/head.tsx'
import { href, type Route } from './router.ts'

/** The projects in an address, if the session cannot see one of them; else undefined. */
export function useUnseen(route: Route): string[] | undefined {
  const own = useSession().key?.project
  const { isCurrent, error } = useContext(LanesContext)
  const scope = useScope()
  const project = pageAt(route)?.project
  const named = isScoped(route) ? scope : project ? [project] : []
  const isRefused = isScoped(route) && isCurrent && error?.code === 'NOT_FOUND'
  return isRefused || (own && named.some((slug) => slug !== own)) ? named : undefined
}

/** In place of a page about a project that the session cannot see: says so once, and leads to those that it can. */
export function Unseen({ named, route }: { named: string[]; route: Route }) {
  const own = useSession().key?.project
  const seen = useProjects().map(({ slug }) => slug)
  const unseen = named.filter((slug) => !seen.includes(slug)).join(' or ')
  return (
    <>
      <Head title="Nothing here" />
      <div class="empty">
        <p>
          There is no project {unseen}
          {own && `, or this key cannot see it: it is for project ${own}`}.
        </p>
        <a class="button main" href={href(isScoped(route) ? route.path : ['runs'])}>
          {own ? `Show project ${own}` : 'Show all projects'}
        </a>
      </div>
    </>
  )
}
