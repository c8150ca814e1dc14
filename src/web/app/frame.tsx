import type { ComponentChildren } from 'preact'
import { useContext, useEffect, useState } from 'preact/hooks'
import { listen } from '../data/live.ts'
import { useSession } from '../data/session.ts'
import { AttentionContext } from '../data/use-attention.ts'
import { LanesContext } from '../data/use-lanes.ts'
import { Icon } from '../ui/icon.tsx'
import { Who } from '../ui/who.tsx'
import { Help } from './help.tsx'
import { useKeys } from './keyboard.ts'
import { placesOf } from './places.ts'
import { go, href, type Route } from './router.ts'
import { themeNow, toggleTheme } from './theme.ts'

/** What is around every page: where one can go, who is there, and whether the page is live. */
export function Frame({ route, children }: { route: Route; children: ComponentChildren }) {
  const [isHelping, setHelping] = useState(false)
  const jumps = placesOf(useSession()).map(({ key, path }) => [`g ${key}`, () => go(href(path))] as const)
  useKeys({ ...Object.fromEntries(jumps), '?': () => setHelping(true) })
  return (
    <div class="frame">
      <button type="button" class="skip" onClick={() => document.getElementById('content')?.focus()}>
        Skip to the content
      </button>
      <header class="side">
        <a class="brand" href={href([])}>
          <img src="./favicon.svg" alt="" width="22" height="22" />
          Conduct
        </a>
        <Places route={route} />
        <div class="foot">
          <Connection />
          <Who />
          <div class="row">
            <ThemeButton />
            <button type="button" class="plain" onClick={() => setHelping(true)} title="Keys (?)">
              <kbd>?</kbd>
              <span class="unseen">Keys</span>
            </button>
          </div>
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        {children}
      </main>
      {isHelping && <Help onClose={() => setHelping(false)} />}
    </div>
  )
}

function Places({ route }: { route: Route }) {
  const { count } = useContext(AttentionContext)
  const waiting = useContext(LanesContext).waiting.length
  return (
    <nav aria-label="Pages">
      {placesOf(useSession()).map(({ path, name, icon }) => (
        <a key={name} href={href(path)} aria-current={path[0] === route.path[0] ? 'page' : undefined}>
          <Icon name={icon} />
          {name}
          {name === 'Now' && waiting > 0 && (
            <span class="count waits">
              {waiting}
              <span class="unseen"> waiting for you</span>
            </span>
          )}
          {name === 'Now' && count > 0 && (
            <span class="count">
              {count}
              <span class="unseen"> need attention</span>
            </span>
          )}
        </a>
      ))}
    </nav>
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
