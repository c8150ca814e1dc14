import { useContext, useEffect, useRef, useState } from 'preact/hooks'
import { noteLogout } from '../data/browser/draft.ts'
import { LanesContext } from '../data/lists/lanes.ts'
import { AttentionContext } from '../data/lists/needs.ts'
import { useProjects, useScope } from '../data/lists/projects.ts'
import { unnamed } from '../data/lists/views.ts'
import { hasPerson, keepMine, useMine } from '../data/lists/whose.ts'
import { listen, lostSince, tell } from '../data/log/stream.ts'
import { useAct } from '../data/query/change.ts'
import { client, dropToken, isUpdated } from '../data/query/server.ts'
import { readOnlyReason, useSession, type Viewer } from '../data/query/session.ts'
import { hasRuns, isScoped, menuOf, pageAt } from '../pages.ts'
import { Icon } from '../ui/icon.tsx'
import { Problem } from '../ui/loading.tsx'
import { Choice } from '../ui/menu.tsx'
import { TimeOfDay } from '../ui/time.tsx'
import { go, goQuery, href, type Route } from './router.ts'
import { toggleTheme, useTheme } from './theme.ts'

/** The version of the package that the page is part of; the build sets it. */
declare const conductVersion: string

interface Props {
  route: Route
  onPalette: () => void
  onHelp: () => void
}

/** Beside every page: the projects, the menu, the key in use, and whether the page is live. */
export function Side({ route, onPalette, onHelp }: Props) {
  return (
    <header class="side">
      <a class="brand" href={href([], { project: useScope(), mine: useMine() && 'true' })}>
        <img src="./favicon.svg" alt="" width="22" height="22" />
        <span>Conduct</span>
      </a>
      <button type="button" class="anything" onClick={onPalette}>
        <Icon name="search" />
        <span>Go to</span>
        <kbd>Ctrl K</kbd>
      </button>
      <ProjectSwitch route={route} />
      <MineSwitch route={route} />
      <Menu route={route} />
      <div class="foot">
        <Connection />
        <ReadOnly />
        <Who />
        <div class="row">
          <ThemeButton />
          <button type="button" class="plain help" onClick={onHelp} title="Keyboard shortcuts (?)">
            <kbd>?</kbd>
            <span class="unseen">Keyboard shortcuts</span>
          </button>
        </div>
        <p class="version muted">
          Conduct {conductVersion} · <a href="docs">API</a>
        </p>
      </div>
    </header>
  )
}

/**
 * Chooses the projects for all pages, if there are several. The choice is part of the address, which may name projects
 * that do not exist or that this key cannot see: these can be taken back.
 */
function ProjectSwitch({ route }: { route: Route }) {
  const projects = useProjects()
  const chosen = useScope()
  const mine = useMine() && 'true'
  if (projects.length < 2 && chosen.length === 0) return null
  const known = projects.map(({ slug, name }) => ({ value: slug, word: name }))
  const unknown = chosen.filter((slug) => projects.every((project) => project.slug !== slug))
  const choose = (project: string[]) =>
    isScoped(route) ? goQuery(unnamed(route), { project }) : go(href(['runs'], { project, mine }))
  return (
    <div class="project-switch">
      <Choice
        name="Project"
        none="All projects"
        options={[...known, ...unknown.map((slug) => ({ value: slug, word: slug }))]}
        chosen={chosen}
        onChange={choose}
      />
    </div>
  )
}

/** Narrows lists and counts to the person's own runs. Not offered to a key without a person, nor on a page without runs. */
function MineSwitch({ route }: { route: Route }) {
  const isMine = useMine() === true
  if (!hasPerson(useSession())) return null
  const choose = (mine: boolean) => {
    keepMine(mine)
    goQuery(unnamed(route), { mine: mine ? 'true' : undefined })
  }
  return (
    <fieldset class={hasRuns(route) ? 'mine-switch' : 'mine-switch away'}>
      <legend class="unseen">Whose runs</legend>
      <button type="button" aria-pressed={isMine} onClick={() => choose(true)}>
        Mine
      </button>
      <button type="button" aria-pressed={!isMine} onClick={() => choose(false)}>
        Everyone
      </button>
    </fieldset>
  )
}

function Menu({ route }: { route: Route }) {
  const { count, hasMore } = useContext(AttentionContext)
  const waiting = useContext(LanesContext).waiting.length
  const project = useScope()
  const mine = useMine() && 'true'
  const nav = useRef<HTMLElement>(null)
  const current = pageAt(route)?.page.under ?? route.path[0]
  // In a low window the menu scrolls; on a narrow screen, sideways. The counts make it longer.
  useEffect(() => {
    const [menu, link] = [nav.current, nav.current?.querySelector('[aria-current]')]
    if (!menu || !link) return
    const [around, its] = [menu.getBoundingClientRect(), link.getBoundingClientRect()]
    menu.scrollLeft += its.left - around.left - (around.width - its.width) / 2
    menu.scrollTop += its.top - around.top - (around.height - its.height) / 2
  }, [current, count, waiting])
  return (
    <nav aria-label="Pages" ref={nav}>
      {menuOf(useSession()).map(({ path, name, icon }) => (
        <a key={name} href={href(path, { project, mine })} aria-current={path[0] === current ? 'page' : undefined}>
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
              {count.toLocaleString('en')}
              {hasMore && '+'}
              <span class="unseen"> need attention</span>
            </span>
          )}
        </a>
      ))}
    </nav>
  )
}

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
  const [since, setSince] = useState(lostSince)
  const [isOld, setOld] = useState(false)
  useEffect(() => {
    // Whether the server was away since the last look at its page.
    let isDue = lostSince() !== undefined
    return listen(() => {
      const since = lostSince()
      setSince(since)
      if (since !== undefined) isDue = true
      else if (isDue) {
        isDue = false
        isUpdated().then(setOld, () => {
          isDue = true
        })
      }
    })
  }, [])
  return (
    <>
      <p class={`connection ${since === undefined ? 'live' : 'lost'}`} role="status">
        {since === undefined ? 'Live' : <Lost since={since} />}
      </p>
      {isOld && (
        <p role="status">
          The server was updated.{' '}
          <button type="button" onClick={() => location.reload()}>
            Reload the page
          </button>
        </p>
      )}
    </>
  )
}

/** What the page shows is from before that time. */
const Lost = ({ since }: { since: number }) => (
  <span>
    Server unavailable since <TimeOfDay at={new Date(since).toISOString()} />. Trying again …
  </span>
)

function ThemeButton() {
  const theme = useTheme()
  return (
    <button type="button" class="plain" onClick={toggleTheme}>
      <Icon name={theme === 'dark' ? 'sun' : 'moon'} />
      <span class="unseen">{theme === 'dark' ? 'Light colours' : 'Dark colours'}</span>
    </button>
  )
}

/** How to say whose a key is, without which nobody's runs can be told from those of others. */
const nobodyWords = (key: Viewer['key']) =>
  key
    ? `This key names no person, so the page cannot tell which runs are yours. An admin can say whose it is: conduct key update ${key.id} --person 'Ada Example <ada@example.com>'`
    : 'Git names no person here, so the page cannot tell which runs are yours: set user.email with git config.'

const Nobody = ({ words }: { words: string }) => (
  <span class="small" title={words}>
    {' '}
    · no person<span class="unseen">. {words}</span>
  </span>
)

/** The key in use, and the logout button. The local user has no session to end. */
function Who() {
  const session = useSession()
  const { key } = session
  const nobody = hasPerson(session) ? undefined : nobodyWords(key)
  const { act, isBusy, error } = useAct()
  if (!key) return <p class="who muted">Local user{nobody && <Nobody words={nobody} />}</p>
  const leave = async () => {
    if (!(await act(() => client.deleteSession()))) return
    dropToken()
    const at = Date.now()
    noteLogout(at)
    tell({ kind: 'left', at })
    tell({ kind: 'over' })
  }
  return (
    <div class="row">
      <p class="who muted" title={`${key.permissions.join(', ')}${key.project ? ` in ${key.project}` : ''}`}>
        {key.name}
        {nobody && <Nobody words={nobody} />}
      </p>
      <button type="button" class="plain" disabled={isBusy || !isSecureContext} onClick={leave} title="Log out">
        <Icon name="leave" />
        <span class="unseen">Log out</span>
      </button>
      {error && <Problem error={error} />}
    </div>
  )
}
