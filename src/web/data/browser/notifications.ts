import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { type News, newsOf, sentenceOf } from '../../../contract/news.ts'
import type { Event } from '../../../log/fields.ts'
import type { Run } from '../../../nouns/run/fields.ts'
import { go, href } from '../../app/router.ts'
import { listen } from '../log/stream.ts'
import { failureOf } from '../query/read.ts'
import { clientOf } from '../query/server.ts'
import { isFocused, shareFocus } from './focus.ts'
import { keptIn, useKept } from './storage.ts'

/** Whether the person wants them. 'impossible' if the browser refused to show one: on phones, only service workers may. */
const wanted = keptIn('notify', (kept) => (kept === true || kept === 'impossible' ? kept : false))

type NotificationState = 'unsupported' | 'off' | 'on' | 'blocked'

/** Whether the person wants notifications of waiting agents, and whether the browser allows them. */
export function useNotifying(): NotificationState {
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

const keyOf = ({ project, runId }: Pick<Run, 'project' | 'runId'>) => `${project}/${runId}`

interface Watched {
  /** The runs that wait now. */
  waiting: Run[]
  /** The chosen projects; none: all. */
  projects: string[]
  /** Whether this person wants to hear of a run. */
  isWanted?: (run: Run) => boolean
}

/** How often a notification of a wait is compared with its run, if the lanes do not show that this waits. */
const lookMs = 5_000

/**
 * Notifies of each run that starts to wait, rests after a long turn or goes wrong while no tab of the page has the focus.
 * What happened before it opened is visible there. A notification goes when the wait is over.
 */
export function useNotifications({ waiting, projects, isWanted = () => true }: Watched): void {
  const isOn = useNotifying() === 'on'
  const open = useRef(new Map<string, Notification>())
  const waits = useRef(new Set<string>())
  const isOurs = useRef(isWanted)
  isOurs.current = isWanted
  useEffect(() => (isOn ? shareFocus() : undefined), [isOn])
  // A layout effect runs together with the drawing that says so, so nothing after it is missed.
  useLayoutEffect(() => {
    if (!isOn) return
    return listen((news) => {
      if (news.kind === 'event') void tellOf(news.event, projects, isOurs.current, open.current).catch(() => {})
    })
  }, [isOn, projects.join(' ')])
  useEffect(() => {
    const now = new Set(waiting.map(keyOf))
    for (const key of waits.current) {
      if (now.has(key)) continue
      open.current.get(key)?.close()
      open.current.delete(key)
    }
    waits.current = now
  }, [waiting.map(keyOf).join('\n')])
  useEffect(() => {
    const timer = setInterval(() => void closeEnded(open.current, waits.current), lookMs)
    return () => clearInterval(timer)
  }, [])
}

/** Closes the notifications of waits that ended before the lanes showed them. */
async function closeEnded(open: Map<string, Notification>, waits: Set<string>): Promise<void> {
  for (const [key, it] of open) {
    if (waits.has(key)) continue
    const [project = '', runId = ''] = key.split('/')
    const isWaiting = await clientOf(project)
      .getRun({ runId })
      .then(
        ({ run }) => run.activity?.state === 'waiting',
        (error) => failureOf(error).code !== 'NOT_FOUND',
      )
    // Meanwhile the next wait can have begun.
    if (isWaiting || open.get(key) !== it) continue
    it.close()
    open.delete(key)
  }
}

async function tellOf(
  event: Event,
  projects: string[],
  isWanted: (run: Run) => boolean,
  open: Map<string, Notification>,
): Promise<void> {
  const { project, subject: runId } = event
  if (!newsOf(event) || project === null) return
  if (projects.length > 0 && !projects.includes(project)) return
  if (await isFocused()) return
  const { run } = await clientOf(project).getRun({ runId })
  const news = newsOf(event, run)
  // Meanwhile the person can have turned notifications off.
  if (!news || news.kind === 'completed' || !isWanted(run) || wanted.read() !== true) return
  // A wait that is over already would have nothing that closes its notification.
  if (news.kind === 'waiting' && run.activity?.state !== 'waiting') return
  try {
    const it = show(news, run)
    if (news.kind === 'waiting') open.set(keyOf(run), it)
  } catch {
    wanted.write('impossible')
  }
}

function show(news: News, run: Run): Notification {
  const { project, runId, title } = run
  // The tag makes several tabs show one notification for a run, the last one.
  const it = new Notification(sentenceOf(news, run, runId), {
    body: title ?? '',
    tag: `conduct ${keyOf(run)}`,
  })
  it.onclick = () => {
    focus()
    go(href(['runs', project, runId]))
    it.close()
  }
  return it
}
