import { useEffect, useRef } from 'preact/hooks'
import type { Run } from '../../../nouns/run/fields.ts'
import { go, href } from '../../app/router.ts'
import { keptIn, useKept } from './storage.ts'

/** Whether the person wants them. 'impossible' if the browser refused to show one: on phones, only service workers may. */
const wanted = keptIn('notify', (kept) => (kept === true || kept === 'impossible' ? kept : false))

export type Standing = 'unsupported' | 'off' | 'on' | 'blocked'

/** Whether the person wants notifications of waiting agents, and whether the browser allows them. */
export function useNotifying(): Standing {
  const isWanted = useKept(wanted)
  // Browsers offer notifications only over HTTPS and on localhost.
  if (!('Notification' in globalThis) || !isSecureContext || isWanted === 'impossible') return 'unsupported'
  if (!isWanted || Notification.permission === 'default') return 'off'
  return Notification.permission === 'granted' ? 'on' : 'blocked'
}

/** Turns notifications on, for which the browser asks permission, or off. A dismissed question changes nothing. */
export async function notify(isOn: boolean): Promise<void> {
  if (isOn && (await Notification.requestPermission()) === 'default') return
  wanted.write(isOn)
}

const waitOf = ({ project, runId, activity }: Run) => `${project}/${runId} ${activity?.since}`

/**
 * Notifies of each run that starts to wait while nobody looks at the page. Runs that already wait when it opens are
 * visible there.
 */
export function useNotifications(waiting: Run[], isRead: boolean): void {
  const isOn = useNotifying() === 'on'
  const known = useRef<Set<string>>(undefined)
  useEffect(() => {
    if (!isRead) return
    const before = known.current
    known.current = new Set(waiting.map(waitOf))
    if (!before || !isOn || document.hasFocus()) return
    try {
      for (const run of waiting) if (!before.has(waitOf(run))) show(run)
    } catch {
      wanted.write('impossible')
    }
  }, [waiting.map(waitOf).join('\n'), isRead])
}

function show({ project, runId, title, agent, activity }: Run) {
  // The tag makes several tabs show one notification.
  const it = new Notification(`${agent ?? 'An agent'} waits for you`, {
    body: [title ?? runId, [activity?.tool, activity?.target].filter(Boolean).join(' ')].filter(Boolean).join('\n'),
    tag: `conduct ${project}/${runId}`,
  })
  it.onclick = () => {
    focus()
    go(href(['runs', project, runId]))
    it.close()
  }
}
