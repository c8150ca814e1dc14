import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useState } from 'preact/hooks'
import { useScope } from '../data/lists/projects.ts'
import { useMine } from '../data/lists/whose.ts'
import { useRead } from '../data/query/read.ts'
import { client } from '../data/query/server.ts'
import { mayAdminister, useSession } from '../data/query/session.ts'
import { menuOf } from '../pages.ts'
import { Dialog } from '../ui/dialog.tsx'
import { lazy } from '../ui/loading.tsx'
import { useKeys } from './keyboard.ts'
import { go, href, type Route } from './router.ts'
import { Side } from './side.tsx'

const Palette = lazy(() => import('./palette.tsx'))

/** The frame of every page: what is beside it, and what keys open over it. */
export function Frame({ route, children }: { route: Route; children: ComponentChildren }) {
  const [open, setOpen] = useState<'help' | 'palette'>()
  const project = useScope()
  const mine = useMine() && 'true'
  const jumps = menuOf(useSession()).map(
    ({ key, path }) => [`g ${key}`, () => go(href(path, { project, mine }))] as const,
  )
  const help = () => setOpen('help')
  const palette = () => setOpen('palette')
  // In advance: keys that are typed before it is there would act on the page.
  useEffect(() => void Palette.load().catch(() => {}), [])
  const search = () => {
    const field = document.querySelector<HTMLInputElement>('main .search input')
    if (field) field.focus()
    else palette()
  }
  // What had the focus may have gone with the address.
  useLayoutEffect(() => {
    if (document.activeElement !== document.body) return
    document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true })
  }, [route])
  useKeys({ ...Object.fromEntries(jumps), '?': help, 'mod+k': palette, '/': search })
  return (
    <div class="frame">
      <button type="button" class="skip" onClick={() => document.getElementById('content')?.focus()}>
        Skip to the content
      </button>
      <Side route={route} onPalette={palette} onHelp={help} />
      <main id="content" tabIndex={-1}>
        <ClockNotice />
        {children}
      </main>
      {open === 'help' && <Help onClose={() => setOpen(undefined)} />}
      {open === 'palette' && <Palette onClose={() => setOpen(undefined)} onHelp={() => setTimeout(help)} />}
    </div>
  )
}

/** No event says that the server begins to doubt its clock, or ends to. */
const readEveryMs = 5 * 60_000

/** Says that the server doubts its clock, while it does. */
function ClockNotice() {
  const { data, reload } = useRead('clock', (signal) => client.me({}, { signal }), { everyMs: readEveryMs })
  const isAdmin = mayAdminister(useSession())
  useEffect(() => {
    addEventListener('focus', reload)
    return () => removeEventListener('focus', reload)
  }, [])
  if (data?.clockWarning === undefined) return null
  return (
    <details class="clock-notice">
      <summary>
        <b>The server’s clock may be wrong.</b> Until it is right, Conduct removes no old data.
      </summary>
      <p>{data.clockWarning}</p>
      <p>
        {isAdmin ? (
          <>
            <code>conduct doctor</code> on the server compares the clock with the ledger. If the clock is right, do
            nothing: the server will trust it again.
          </>
        ) : (
          'Recording works as usual. An admin of the server can set the clock.'
        )}
      </p>
    </details>
  )
}

const keys: [key: string, meaning: string][] = [
  ['j', 'Next row, turn or file'],
  ['k', 'Previous row, turn or file'],
  ['Enter', 'Open the row'],
  ['o', 'Unfold or fold the turn'],
  ['x', 'Pick the run of the row to compare it'],
  ['c', 'Compare the picked runs'],
  ['1–5', 'Switch to that view of a run or spec'],
  ['/', 'Search'],
  ['Ctrl K', 'Go to anything'],
  ['?', 'Show this list'],
]

function Help({ onClose }: { onClose: () => void }) {
  const jumps = menuOf(useSession()).map(({ key, name }) => [`g ${key}`, `Go to ${name}`] as [string, string])
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <dl class="keys">
        {[...keys, ...jumps].map(([key, meaning]) => (
          <div key={key}>
            <dt>
              {key.split(' ').map((one) => (
                <kbd key={one}>{one}</kbd>
              ))}
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
