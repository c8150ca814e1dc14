import { useState } from 'preact/hooks'
import type { Run } from '../../api/run.ts'
import { ConductError } from '../../client/client.ts'
import { type Act, useAct } from '../data/act.ts'
import { clientOf } from '../data/server.ts'
import { may, useSession } from '../data/session.ts'
import { etagOf } from '../data/version.ts'
import { Copy } from '../ui/copy.tsx'
import { Menu } from '../ui/menu.tsx'
import { Problem } from '../ui/problem.tsx'
import { CheckForm, DeleteForm, LabelForm } from './run-forms.tsx'

type Form = 'check' | 'labels' | 'delete'

/** What the session may do to a run. Each change goes by the version that is shown; `onConflict` reads the newer one. */
export function RunActions({ run, onConflict }: { run: Run; onConflict: () => void }) {
  const session = useSession()
  const it = useAct(onConflict)
  const [form, setForm] = useState<Form>()
  const close = () => setForm(undefined)
  const mayChange = may(session, 'agent')
  return (
    <div class="actions">
      <Copy text={`conduct exec --retry-of ${run.runId} -- `} label="New attempt" isShown />
      {mayChange && <FinishMenu run={run} it={it} />}
      {mayChange && (
        <button type="button" onClick={() => setForm('check')}>
          Add check
        </button>
      )}
      {mayChange && (
        <button type="button" onClick={() => setForm('labels')}>
          Labels
        </button>
      )}
      {may(session, 'delete') && (
        <button type="button" class="danger" onClick={() => setForm('delete')}>
          Delete
        </button>
      )}
      {it.error && <Problem error={it.error} />}
      {form === 'check' && <CheckForm run={run} onClose={close} />}
      {form === 'labels' && <LabelForm run={run} onClose={close} onConflict={onConflict} />}
      {form === 'delete' && <DeleteForm run={run} onClose={close} onConflict={onConflict} />}
    </div>
  )
}

/** Who holds the lease of a run finishes it; anybody else can only cancel it. */
function FinishMenu({ run, it: { act, isBusy } }: { run: Run; it: Act }) {
  if (run.status === 'completed' || run.status === 'failed') return null
  const end = (status: 'completed' | 'failed') =>
    act(() => clientOf(run.project).updateRun({ runId: run.runId, status, ifVersion: etagOf(run) }))
  const isHeld = run.leaseExpiresAt !== null
  return (
    <Menu label="Finish">
      {!isHeld && (
        <button type="button" disabled={isBusy} onClick={() => end('completed')}>
          Complete run
        </button>
      )}
      {!isHeld && (
        <button type="button" disabled={isBusy} onClick={() => end('failed')}>
          It failed
        </button>
      )}
      <button type="button" disabled={isBusy} onClick={() => act(() => cancel(run))}>
        Cancel run
      </button>
      {isHeld && <p class="small muted">An agent holds this run, so only that agent can complete it.</p>}
    </Menu>
  )
}

const tries = 5

/** Ends a run that is written to all the time: whatever was written meanwhile, but only while it has not ended by itself. */
async function cancel({ project, runId }: Run): Promise<void> {
  const client = clientOf(project)
  for (let left = tries; left > 0; left--) {
    const { run } = await client.getRun({ runId })
    if (run.status === 'completed' || run.status === 'failed') {
      throw new ConductError('CONFLICT', `The run has ended in the meantime: it is ${run.status}.`)
    }
    try {
      const failure = { code: 'CANCELLED', message: 'Cancelled in the dashboard.' }
      await client.updateRun({ runId, status: 'failed', failure, ifVersion: etagOf(run) })
      return
    } catch (error) {
      if (!(error instanceof ConductError && error.code === 'PRECONDITION_FAILED')) throw error
    }
  }
  throw new ConductError('CONFLICT', 'The run keeps changing: try again.')
}
