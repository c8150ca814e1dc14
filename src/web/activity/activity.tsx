import { href, type Route } from '../app/router.ts'
import { useScope } from '../data/lists/projects.ts'
import { useMine } from '../data/lists/whose.ts'
import { Head } from '../ui/head.tsx'
import { AllEvents } from './events.tsx'
import { Feed } from './feed.tsx'
import { showsEvents } from './views.ts'

/** What came of the work, day by day, or every change in the log. The choice is part of the address. */
export default function Activity({ route }: { route: Route }) {
  const { query } = route
  const isLog = showsEvents(query)
  const project = useScope()
  const mine = useMine() && 'true'
  const view = (name?: string) => href(['activity'], { project, mine, view: name })
  return (
    <>
      <Head title="Activity" />
      <nav class="tabs" aria-label="What to show">
        <a href={view()} aria-current={isLog ? undefined : 'true'}>
          Work
        </a>
        <a href={view('events')} aria-current={isLog ? 'true' : undefined}>
          All events
        </a>
      </nav>
      {isLog ? <AllEvents route={route} /> : <Feed route={route} />}
    </>
  )
}
