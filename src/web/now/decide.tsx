import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { type Decision, decide, type Group } from '../data/lists/needs.ts'
import { useAct } from '../data/query/change.ts'
import { may, useSession } from '../data/query/session.ts'
import { serverNow } from '../data/query/timing.ts'
import { Problem } from '../ui/loading.tsx'
import { closeMenu, Menu } from '../ui/menu.tsx'

type Runs = Pick<Group, 'project' | 'runIds' | 'attention'>

/** What was decided, and how to undo it. */
export interface Done {
  at: number
  words: string
  runs: Runs
  back: Decision
}

interface Props {
  runs: Runs
  /** What the buttons are about, for those who do not see the row. */
  name: string
  onDone: (done: Done) => void
}

/** Buttons to resolve runs, take them, or put them off. Readers see none. */
export function Decide({ runs, name, onDone }: Props) {
  const session = useSession()
  const { act, isBusy, error } = useAct()
  if (!may(session, 'write')) return null
  const make = async (decision: Decision, back: Decision, words: string) => {
    if (!(await act(() => decide(runs.project, runs.runIds, decision)))) return
    onDone({ at: Date.now(), words: `${name}: ${words}`, runs, back })
  }
  const assignee = runs.attention[0]?.assignee ?? null
  const isMine = session.person !== null && assignee === session.person
  return (
    <>
      <button type="button" disabled={isBusy} onClick={() => make({ resolved: true }, { resolved: false }, 'resolved')}>
        Resolve<span class="unseen"> {name}</span>
      </button>
      {session.person !== null && !isMine && (
        <button
          type="button"
          class="plain"
          disabled={isBusy}
          onClick={() => make({ assignee: 'me' }, { assignee }, 'assigned to you')}
        >
          Assign to me<span class="unseen"> {name}</span>
        </button>
      )}
      <Menu
        label={
          <span>
            Put off<span class="unseen"> {name}</span>
          </span>
        }
      >
        {delays.map(([days, words]) => (
          <button
            key={days}
            type="button"
            disabled={isBusy}
            onClick={({ target }) => {
              closeMenu(target)
              void make({ until: momentIn(days) }, { until: null }, 'put off')
            }}
          >
            {words}
          </button>
        ))}
      </Menu>
      {error && <Problem error={error} />}
    </>
  )
}

const delays = [
  [1, 'until tomorrow'],
  [7, 'until next week'],
] as const

const morning = 8

/** The morning of a later day. */
function momentIn(days: number): string {
  const moment = new Date(serverNow())
  moment.setDate(moment.getDate() + days)
  moment.setHours(morning, 0, 0, 0)
  return moment.toISOString()
}

const undoMs = 10_000

interface UndoProps {
  done: Done
  /** `hadFocus` says whether the focus is lost with the button. */
  onClose: (hadFocus: boolean) => void
}

/** Offers to undo the last decision for a while. */
export function Undo({ done: { words, runs, back }, onClose }: UndoProps) {
  const button = useRef<HTMLButtonElement>(null)
  const { act, isBusy, error } = useAct()
  // The pressed button is gone or goes with its row, and the focus with it. The next key is for this button.
  useLayoutEffect(() => {
    const { activeElement, body } = document
    if (activeElement === body || activeElement?.closest('.decisions')) button.current?.focus({ preventScroll: true })
  }, [])
  useEffect(() => {
    const timer = setTimeout(() => onClose(document.activeElement === button.current), undoMs)
    return () => clearTimeout(timer)
  }, [])
  const undo = async () => {
    if (await act(() => decide(runs.project, runs.runIds, back))) onClose(true)
  }
  return (
    <div class="picks" role="status">
      {words}.
      <button ref={button} type="button" disabled={isBusy} onClick={undo}>
        Undo
      </button>
      {error && <Problem error={error} />}
    </div>
  )
}
