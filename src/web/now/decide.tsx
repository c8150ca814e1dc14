import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { type Decision, decide, type Group } from '../data/lists/needs.ts'
import { useAct } from '../data/query/change.ts'
import { may, useSession } from '../data/query/session.ts'
import { serverNow } from '../data/query/timing.ts'
import { Problem } from '../ui/loading.tsx'

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
      <select
        aria-label={`Put off ${name}`}
        disabled={isBusy}
        value=""
        onChange={({ currentTarget: { value } }) => {
          if (value !== '') make({ until: momentIn(Number(value)) }, { until: null }, 'put off')
        }}
      >
        <option value="">Put off</option>
        <option value="1">until tomorrow</option>
        <option value="7">until next week</option>
      </select>
      {error && <Problem error={error} />}
    </>
  )
}

const morning = 8

/** The morning of a later day. */
function momentIn(days: number): string {
  const moment = new Date(serverNow())
  moment.setDate(moment.getDate() + days)
  moment.setHours(morning, 0, 0, 0)
  return moment.toISOString()
}

const undoMs = 10_000

/** Offers to undo the last decision for a while. */
export function Undo({ done: { words, runs, back }, onClose }: { done: Done; onClose: () => void }) {
  const button = useRef<HTMLButtonElement>(null)
  const { act, isBusy, error } = useAct()
  // The pressed button is gone, and the focus with it. The next key is for this button.
  useLayoutEffect(() => {
    if (document.activeElement === document.body) button.current?.focus({ preventScroll: true })
  }, [])
  useEffect(() => {
    const timer = setTimeout(onClose, undoMs)
    return () => clearTimeout(timer)
  }, [])
  const undo = async () => {
    if (await act(() => decide(runs.project, runs.runIds, back))) onClose()
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
