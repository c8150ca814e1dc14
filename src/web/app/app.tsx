import type { ComponentType } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Login } from '../admin/login.tsx'
import { dropDrafts } from '../data/browser/draft.ts'
import { useNotifications, useNotifying } from '../data/browser/notifications.ts'
import { LanesContext, useLanes } from '../data/lists/lanes.ts'
import { AttentionContext, useAttention } from '../data/lists/needs.ts'
import { ScopeContext, useChosenProjects } from '../data/lists/projects.ts'
import { follow, listen } from '../data/log/stream.ts'
import { useRead } from '../data/query/read.ts'
import { loginClient } from '../data/query/server.ts'
import { type Session, SessionContext } from '../data/query/session.ts'
import { Now } from '../now/now.tsx'
import { RunPage } from '../runs/run.tsx'
import { Runs } from '../runs/runs.tsx'
import { lazy, Problem, Skeleton } from '../ui/loading.tsx'
import { Frame } from './frame.tsx'
import { Missing } from './missing.tsx'
import { go, href, type Route, useRoute } from './router.ts'
import { useScroll } from './scroll.ts'

/** A page whose code is loaded when it is come to. */
const page = <Props extends object>(read: () => Promise<{ default: ComponentType<Props> }>) =>
  lazy(read, <Skeleton of="page" rows={8} />)

const Specs = page(() => import('../specs/specs.tsx'))
const SpecPage = page(() => import('../specs/spec.tsx'))
const Features = page(() => import('../features/features.tsx'))
const FeaturePage = page(() => import('../features/feature.tsx'))
const Compare = page(() => import('../runs/compare.tsx'))
const Trends = page(() => import('../trends/trends.tsx'))
const Activity = page(() => import('../activity/activity.tsx'))
const Keys = page(() => import('../admin/keys.tsx'))
const Webhooks = page(() => import('../admin/webhooks.tsx'))
const Projects = page(() => import('../admin/projects.tsx'))
const ProjectPage = page(() => import('../admin/project.tsx'))

/** The root: checks the session, then shows the page of the address. */
export function App() {
  const [sessions, setSessions] = useState(0)
  const me = useRead(`me ${sessions}`, () => loginClient.me())
  const isOver = useIsOver(() => setSessions((count) => count + 1))
  // After a login, nothing is shown in the name of the session before.
  const isAwaited = useRef(false)
  if (isOver || me.isCurrent) isAwaited.current = isOver
  const route = useRoute()
  const [code, setCode] = useState<string>()
  useEffect(
    () =>
      listen((news) => {
        if (news.kind === 'left') dropDrafts(news.at)
        if (news.kind === 'begun') setCode(undefined)
      }),
    [],
  )
  useLayoutEffect(() => {
    const [, given] = /^code=(.+)/.exec(route.path[0] ?? '') ?? []
    if (given === undefined) return
    setCode(given)
    // The code works once and must not stay in the history.
    go(href([]), { replace: true })
  }, [route])
  if (isAwaited.current || code !== undefined || me.error?.code === 'UNAUTHORIZED') return <Login code={code} />
  if (me.data) return <Inside key={me.data.key?.id} session={me.data} route={route} />
  // Perhaps of an address that failed to log in too often, from which a valid key still logs in.
  if (me.error?.code === 'RATE_LIMIT_EXCEEDED') return <Login code={code} refusal={me.error} onRetry={me.reload} />
  return me.error ? <Problem error={me.error} onRetry={me.reload} /> : null
}

/** Whether the session has ended. Calls `onBegun` when a new one has begun. */
function useIsOver(onBegun: () => void): boolean {
  const [isOver, setOver] = useState(false)
  useEffect(() => {
    let isKnown = false
    const set = (isEnd: boolean) => {
      isKnown = isEnd
      setOver(isEnd)
      if (!isEnd) onBegun()
    }
    return listen((news) => {
      if (news.kind === 'begun') set(false)
      if (news.kind !== 'over' || isKnown) return
      set(true)
      // The refusal may answer a request from before the session began.
      loginClient.me().then(
        () => set(false),
        () => {},
      )
    })
  }, [])
  return isOver
}

function Inside({ session, route }: { session: Session; route: Route }) {
  const projects = useChosenProjects(route)
  const attention = useAttention(projects)
  const lanes = useLanes(projects, useNotifying() === 'on')
  useNotifications(lanes.waiting, lanes.isRead)
  useEffect(follow, [])
  useScroll(route)
  return (
    <SessionContext.Provider value={session}>
      <ScopeContext.Provider value={projects}>
        <AttentionContext.Provider value={attention}>
          <LanesContext.Provider value={lanes}>
            <Frame route={route}>
              <Page route={route} />
            </Frame>
          </LanesContext.Provider>
        </AttentionContext.Provider>
      </ScopeContext.Provider>
    </SessionContext.Provider>
  )
}

/** The page of an address: `#/runs` is the list, `#/runs/<project>/<runId>` a run. */
function Page({ route }: { route: Route }) {
  const [noun, project, id] = route.path
  if (noun === undefined) return <Now />
  if (noun === 'runs' && project === undefined) return <Runs route={route} />
  if (noun === 'runs' && project !== undefined && id !== undefined) {
    return <RunPage key={`${project}/${id}`} project={project} runId={id} route={route} />
  }
  if (noun === 'specs' && project === undefined) return <Specs route={route} />
  if (noun === 'specs' && project !== undefined && id !== undefined) {
    return <SpecPage key={`${project}/${id}`} project={project} specId={id} route={route} />
  }
  if (noun === 'features' && project === undefined) return <Features route={route} />
  if (noun === 'features' && project !== undefined && /^[1-9]\d{0,9}$/.test(id ?? '')) {
    return <FeaturePage key={`${project}/${id}`} project={project} number={Number(id)} />
  }
  if (noun === 'compare') return <Compare route={route} />
  if (noun === 'trends') return <Trends route={route} />
  if (noun === 'activity') return <Activity route={route} />
  if (noun === 'keys') return <Keys />
  if (noun === 'webhooks') return <Webhooks />
  if (noun === 'projects' && project === undefined) return <Projects />
  if (noun === 'projects' && project !== undefined) return <ProjectPage key={project} slug={project} />
  return <Missing />
}
