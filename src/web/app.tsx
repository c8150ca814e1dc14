import { useEffect, useLayoutEffect, useState } from 'preact/hooks'
import { follow, listen } from './live.ts'
import { Login } from './pages/login.tsx'
import { Missing } from './pages/missing.tsx'
import { Now } from './pages/now.tsx'
import { RunPage } from './pages/run.tsx'
import { Runs } from './pages/runs.tsx'
import { Frame } from './parts/frame.tsx'
import { lazy } from './parts/lazy.tsx'
import { Problem } from './parts/problem.tsx'
import { useRead } from './read.ts'
import { go, href, type Route, useRoute } from './router.ts'
import { useScroll } from './scroll.ts'
import { client } from './server.ts'
import { type Session, SessionContext } from './session.ts'
import { AttentionContext, useAttention } from './use-attention.ts'

const Specs = lazy(() => import('./pages/specs.tsx'))
const SpecPage = lazy(() => import('./pages/spec.tsx'))
const Features = lazy(() => import('./pages/features.tsx'))
const FeaturePage = lazy(() => import('./pages/feature.tsx'))
const Activity = lazy(() => import('./pages/activity.tsx'))
const Keys = lazy(() => import('./pages/keys.tsx'))
const Projects = lazy(() => import('./pages/projects.tsx'))

/** The page as a whole: who is there, and what the address asks for. */
export function App() {
  const [isOver, setOver] = useState(false)
  const me = useRead('me', () => client.me())
  const route = useRoute()
  const [code, setCode] = useState<string>()
  useEffect(
    () =>
      listen(({ kind }) => {
        if (kind === 'over') setOver(true)
        if (kind !== 'begun') return
        setOver(false)
        setCode(undefined)
        me.reload()
      }),
    [],
  )
  useLayoutEffect(() => {
    const [, given] = /^code=(.+)/.exec(route.path[0] ?? '') ?? []
    if (given === undefined) return
    setCode(given)
    // It serves once, and is of no use in the history.
    go(href([]), { replace: true })
  }, [route])
  if (isOver || code !== undefined || me.error?.code === 'UNAUTHORIZED') return <Login code={code} />
  if (me.data) return <Inside session={me.data} route={route} />
  return me.error ? <Problem error={me.error} onRetry={me.reload} /> : null
}

function Inside({ session, route }: { session: Session; route: Route }) {
  const attention = useAttention()
  useEffect(follow, [])
  useScroll(route)
  return (
    <SessionContext.Provider value={session}>
      <AttentionContext.Provider value={attention}>
        <Frame route={route}>
          <Page route={route} />
        </Frame>
      </AttentionContext.Provider>
    </SessionContext.Provider>
  )
}

/** The page of an address: `#/runs` lists, `#/runs/<project>/<runId>` is one. */
function Page({ route }: { route: Route }) {
  const [noun, project, id] = route.path
  if (noun === undefined) return <Now route={route} />
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
  if (noun === 'activity') return <Activity route={route} />
  if (noun === 'keys') return <Keys />
  if (noun === 'projects') return <Projects />
  return <Missing />
}
