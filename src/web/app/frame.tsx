import type { ComponentChildren } from 'preact'
import { useContext, useEffect, useRef, useState } from 'preact/hooks'
import { LanesContext } from '../data/lists/lanes.ts'
import { AttentionContext } from '../data/lists/needs.ts'
import { useScope } from '../data/lists/projects.ts'
import { listen } from '../data/log/stream.ts'
import { readOnlyReason, useSession } from '../data/query/session.ts'
import { Icon } from '../ui/icon.tsx'
import { lazy } from '../ui/loading.tsx'
import { ProjectSwitch } from '../ui/project-switch.tsx'
import { Who } from '../ui/who.tsx'
import { ClockNotice } from './clock-notice.tsx'
import { Help } from './help.tsx'
import { useKeys } from './keyboard.ts'
import { placesOf } from './places.ts'
import { go, href, type Route } from './router.ts'
import { themeNow, toggleTheme } from './theme.ts'

const Palette = lazy(() => import('./palette.tsx'))

/** The frame of every page: the menu, the key in use, and whether the page is live. */
export function Frame({ route, children }: { route: Route; children: ComponentChildren }) {
  const [open, setOpen] = useState<'help' | 'palette'>()
  const project = useScope()
  const jumps = placesOf(useSession()).map(({ key, path }) => [`g ${key}`, () => go(href(path, { project }))] as const)
  const help = () => setOpen('help')
  // In advance: keys that are typed before it is there would act on the page.
  useEffect(() => void Palette.load().catch(() => {}), [])
  useKeys({ ...Object.fromEntries(jumps), '?': help, 'mod+k': () => setOpen('palette') })
  return (
    <div class="frame">
      <button type="button" class="skip" onClick={() => document.getElementById('content')?.focus()}>
        Skip to the content
      </button>
      <header class="side">
        <a class="brand" href={href([], { project })}>
          <img src="./favicon.svg" alt="" width="22" height="22" />
          <span>Conduct</span>
        </a>
        <ProjectSwitch route={route} />
        <button type="button" class="anything" onClick={() => setOpen('palette')}>
          <Icon name="search" />
          <span>Go to</span>
          <kbd>Ctrl K</kbd>
        </button>
        <Places route={route} />
        <div class="foot">
          <Connection />
          <ReadOnly />
          <Who />
          <div class="row">
            <ThemeButton />
            <button type="button" class="plain" onClick={help} title="Keys (?)">
              <kbd>?</kbd>
              <span class="unseen">Keys</span>
            </button>
          </div>
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        <ClockNotice />
        {children}
      </main>
      {open === 'help' && <Help onClose={() => setOpen(undefined)} />}
      {open === 'palette' && <Palette onClose={() => setOpen(undefined)} onHelp={() => setTimeout(help)} />}
    </div>
  )
}

function Places({ route }: { route: Route }) {
  const { count, hasMore } = useContext(AttentionContext)
  const waiting = useContext(LanesContext).waiting.length
  const project = useScope()
  const nav = useRef<HTMLElement>(null)
  const noun = nounOf(route)
  // In a low window the menu scrolls; on a narrow screen, sideways. The counts make it longer.
  useEffect(() => {
    const [menu, link] = [nav.current, nav.current?.querySelector('[aria-current]')]
    if (!menu || !link) return
    const [around, its] = [menu.getBoundingClientRect(), link.getBoundingClientRect()]
    menu.scrollLeft += its.left - around.left - (around.width - its.width) / 2
    menu.scrollTop += its.top - around.top - (around.height - its.height) / 2
  }, [noun, count, waiting])
  return (
    <nav aria-label="Pages" ref={nav}>
      {placesOf(useSession()).map(({ path, name, icon }) => (
        <a key={name} href={href(path, { project })} aria-current={path[0] === noun ? 'page' : undefined}>
          <Icon name={icon} />
          {name}
          {name === 'Now' && waiting > 0 && (
            <span class="count waits">
              {waiting}
              <span class="unseen"> waiting</span>
            </span>
          )}
          {name === 'Now' && count > 0 && (
            <span class="count">
              {count}
              {hasMore && '+'}
              <span class="unseen"> need attention</span>
            </span>
          )}
        </a>
      ))}
    </nav>
  )
}

/** The comparison of two runs belongs to Runs. */
const nounOf = ({ path: [noun] }: Route) => (noun === 'compare' ? 'runs' : noun)

/** Says once for the whole page that nothing can be changed, and why. */
function ReadOnly() {
  const reason = readOnlyReason(useSession())
  if (reason === undefined) return null
  return (
    <p class="read-only" title={reason}>
      <b>Read-only.</b> <span>{reason}</span>
    </p>
  )
}

function Connection() {
  const [isLost, setLost] = useState(false)
  useEffect(() => listen(({ kind }) => setLost(kind === 'lost')), [])
  return (
    <p class={`connection ${isLost ? 'lost' : 'live'}`} role="status">
      {isLost ? 'No answer from the server. Trying again …' : 'Live'}
    </p>
  )
}

function ThemeButton() {
  const [theme, setTheme] = useState(themeNow)
  return (
    <button type="button" class="plain" onClick={() => setTheme(toggleTheme())}>
      <Icon name={theme === 'dark' ? 'sun' : 'moon'} />
      <span class="unseen">{theme === 'dark' ? 'Light colours' : 'Dark colours'}</span>
    </button>
  )
}
