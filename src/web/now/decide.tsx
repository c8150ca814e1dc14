import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { type DecisionPatch, decide, type NeedsGroup, type RunsOfGroup, runsOf } from '../data/lists/needs.ts'
import { useAct } from '../data/query/change.ts'
import { may, useSession } from '../data/query/session.ts'
import { serverNow } from '../data/query/timing.ts'
import { Problem } from '../ui/loading.tsx'
import { closeMenu, Menu } from '../ui/menu.tsx'

type Runs = Pick<NeedsGroup, 'project' | 'runIds' | 'attention'>

/** What was decided, and how to undo it. */
export interface Done {
  at: number
  words: string
  project: string
  back: DecisionStep[]
}

/** A decision about some of the runs. */
interface DecisionStep {
  runIds: readonly string[]
  decision: DecisionPatch
}

interface Props {
  runs: Runs
  /** What the buttons are about, for those who do not see the row. */
  name: string
  onDone: (done: Done) => void
}

/** Buttons to resolve runs, take them or give them up, or put them off. Readers see none. */
export function Decide({ runs, name, onDone }: Props) {
  const session = useSession()
  const { act, isBusy, error } = useAct()
  if (!may(session, 'write')) return null
  const { project, runIds } = runs
  const make = (decision: DecisionPatch, words: string, stepsBack: () => Promise<DecisionStep[]>) =>
    act(async () => {
      const back = await stepsBack()
      await decide(project, runIds, decision)
      onDone({ at: Date.now(), words: `${name}: ${words}`, project, back })
    })
  const allBack = (decision: DecisionPatch) => async () => [{ runIds, decision }]
  // Of a long row, only the newest runs are known.
  const isMine =
    runs.attention.length === runIds.length && runs.attention.every(({ assignee }) => assignee === session.person)
  const take = () => make({ assignee: 'me' }, 'assigned to you', () => assignedBack(runs))
  const giveUp = () => make({ assignee: null }, 'assigned to nobody', allBack({ assignee: 'me' }))
  return (
    <>
      <button
        type="button"
        disabled={isBusy}
        onClick={() => make({ resolved: true }, 'resolved', allBack({ resolved: false }))}
      >
        Resolve<span class="unseen"> {name}</span>
      </button>
      {session.person !== null && (
        <button type="button" class="plain" disabled={isBusy} onClick={isMine ? giveUp : take}>
          {isMine ? 'Unassign' : 'Assign to me'}
          <span class="unseen"> {name}</span>
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
              void make({ until: momentIn(days) }, 'put off', allBack({ until: null }))
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

/** How each run gets back the person who has it now: the runs of a group may have several. */
async function assignedBack(runs: RunsOfGroup): Promise<DecisionStep[]> {
  const byPerson = Map.groupBy(await runsOf(runs), ({ assignee }) => assignee)
  return [...byPerson].map(([assignee, its]) => ({ runIds: its.map(({ runId }) => runId), decision: { assignee } }))
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
export function Undo({ done: { words, project, back }, onClose }: UndoProps) {
  const button = useRef<HTMLButtonElement>(null)
  const { act, isBusy, error } = useAct()
  // The pressed button is gone or goes with its row, and the focus with it. The next key is for this button.
  useLayoutEffect(() => {
    const { activeElement, body } = document
    if (activeElement === body || activeElement?.closest('.decisions')) button.current?.focus({ preventScroll: true })
  }, [])
  useEffect(() => {
    if (isBusy || error) return
    const timer = setTimeout(() => onClose(document.activeElement === button.current), undoMs)
    return () => clearTimeout(timer)
  }, [isBusy, error])
  const undo = async () => {
    const all = async () => {
      for (const { runIds, decision } of back) await decide(project, runIds, decision)
    }
    // The answer may arrive after the next decision, which has a button of its own.
    if ((await act(all)) && button.current) onClose(true)
  }
  return (
    <div class="picks" role="status">
      {words}.
      <button ref={button} type="button" disabled={isBusy} onClick={undo}>
        Undo
      </button>
      {error && (
        <>
          <Problem error={error} />
          <button type="button" onClick={() => onClose(true)}>
            Close
          </button>
        </>
      )}
    </div>
  )
}
