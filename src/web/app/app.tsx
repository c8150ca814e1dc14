import type { ComponentChildren } from 'preact'
import { useEffect, useErrorBoundary, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { ConductError } from '../../client/client.ts'
import { Login } from '../admin/login.tsx'
import { dropDrafts } from '../data/browser/draft.ts'
import { useNotifications, useNotifying } from '../data/browser/notifications.ts'
import { LanesContext, useLanes } from '../data/lists/lanes.ts'
import { AttentionContext, useAttention } from '../data/lists/needs.ts'
import { ScopeContext, useChosenProjects } from '../data/lists/projects.ts'
import { isOf, MineContext, useChosenMine } from '../data/lists/whose.ts'
import { follow, listen } from '../data/log/stream.ts'
import { useRead } from '../data/query/read.ts'
import { firstClient, loginClient } from '../data/query/server.ts'
import { SessionContext, type Viewer } from '../data/query/session.ts'
import { hasRuns, isScoped, pageAt, pages } from '../pages.ts'
import { Head } from '../ui/head.tsx'
import { lazy, Problem, Skeleton } from '../ui/loading.tsx'
import { Frame } from './frame.tsx'
import { go, href, type Route, useRoute } from './router.ts'
import { useScroll } from './scroll.ts'
import { Unseen, useUnseen } from './unseen.tsx'

/** The components of the pages, whose code is loaded when they are first shown. */
const components = new Map(pages.map((page) => [page, lazy(page.load, <Skeleton of="page" rows={8} />)]))
for (const [{ isUsual }, { load }] of components) if (isUsual) void load().catch(() => {})

/** The root: checks the session, then shows the page of the address. */
export function App() {
  const [sessions, setSessions] = useState(0)
  const me = useRead(`me ${sessions}`, () => firstClient.me())
  const end = useEnd(() => setSessions((count) => count + 1))
  // After a login, nothing is shown in the name of the session before.
  const isAwaited = useRef(false)
  if (end || me.isCurrent) isAwaited.current = end !== undefined
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
  if (isAwaited.current || code !== undefined || me.error?.code === 'UNAUTHORIZED') {
    return <Login code={code} hasEnded={end === 'ended' && me.data !== undefined} />
  }
  if (me.data) return <Inside key={me.data.key?.id} session={me.data} route={route} />
  // Perhaps of an address that failed to log in too often, from which a valid key still logs in.
  if (me.error?.code === 'RATE_LIMIT_EXCEEDED') return <Login code={code} refusal={me.error} onRetry={me.reload} />
  return me.error ? <Problem error={me.error} onRetry={me.reload} /> : null
}

/** How the session has ended: the user left, or it was ended. Calls `onBegun` when a new one has begun. */
function useEnd(onBegun: () => void): 'left' | 'ended' | undefined {
  const [end, setEnd] = useState<'left' | 'ended'>()
  useEffect(() => {
    let known: typeof end
    const set = (end: typeof known) => {
      known = end
      setEnd(end)
      if (!end) onBegun()
    }
    return listen((news) => {
      if (news.kind === 'begun') set(undefined)
      if (news.kind === 'left') set('left')
      if (news.kind !== 'over' || known) return
      set('ended')
      // The refusal may answer a request from before the session began.
      loginClient.me().then(
        () => set(undefined),
        () => {},
      )
    })
  }, [])
  return end
}

function Inside({ session, route }: { session: Viewer; route: Route }) {
  const projects = useChosenProjects(route, isScoped(route))
  const mine = useChosenMine(route, hasRuns(route), session)
  const attention = useAttention(projects, mine)
  const lanes = useLanes(projects, mine, useNotifying() === 'on')
  useNotifications({ waiting: lanes.waiting, projects, isWanted: (run) => !mine || isOf(session, run) })
  useEffect(follow, [])
  useScroll(route)
  return (
    <SessionContext.Provider value={session}>
      <ScopeContext.Provider value={projects}>
        <MineContext.Provider value={mine}>
          <AttentionContext.Provider value={attention}>
            <LanesContext.Provider value={lanes}>
              <Frame route={route}>
                <Page route={route} />
              </Frame>
            </LanesContext.Provider>
          </AttentionContext.Provider>
        </MineContext.Provider>
      </ScopeContext.Provider>
    </SessionContext.Provider>
  )
}

/** The page of the address. It begins anew when the address names something else. */
function Page({ route }: { route: Route }) {
  const found = pageAt(route)
  const Component = found && components.get(found.page)
  const unseen = useUnseen(route)
  if (!Component) return <Missing />
  if (unseen) return <Unseen named={unseen} route={route} />
  const { project, id } = found
  return (
    <Bounded key={`${route.path[0]} ${project}/${id}`} route={route}>
      <Component route={route} project={project} id={id} />
    </Bounded>
  )
}

/** Says so where a page cannot be drawn, which otherwise leaves the whole window blank. */
function Bounded({ route, children }: { route: Route; children: ComponentChildren }) {
  // Whoever looks at the console of the browser still finds it there.
  const [cause, retry] = useErrorBoundary((error) => reportError(error))
  useEffect(retry, [route])
  if (!cause) return children
  const words = `This page could not be drawn, which is a fault of Conduct: ${cause.message}`
  return <Problem error={new ConductError('INTERNAL_ERROR', words, { cause })} onRetry={retry} />
}

const Missing = () => (
  <>
    <Head title="Nothing here" />
    <div class="empty">
      <p>
        There is no page at this address. See <a href={href([])}>Now</a> or <a href={href(['runs'])}>all runs</a>.
      </p>
    </div>
  </>
)
