import { useState } from 'preact/hooks'
import type { Run } from '../../nouns/run/fields.ts'
import { type Act, etagOf, useAct } from '../data/query/change.ts'
import { clientOf } from '../data/query/server.ts'
import { may, mayAdminister, useSession } from '../data/query/session.ts'
import { lazy, Problem } from '../ui/loading.tsx'
import { closeMenu, Menu, MoreActions } from '../ui/menu.tsx'
import { CancelForm, CheckForm, cancel, DeleteForm, LabelForm } from './run-forms.tsx'

const EraseDialog = lazy(() => import('../admin/erase-dialog.tsx'))

type Form = 'check' | 'labels' | 'cancel' | 'delete' | 'erase'

/**
 * The actions that the session may take on a run. Each change requires the version on screen. After a change here or by
 * someone else, `onChange` reads the newer one, which the stream of events may bring late.
 */
export function RunActions({ run, onChange }: { run: Run; onChange: () => void }) {
  const session = useSession()
  const it = useAct(onChange)
  const [form, setForm] = useState<Form>()
  const mayChange = may(session, 'agent')
  return (
    <div class="actions">
      {mayChange && <FinishMenu run={run} it={it} onChange={onChange} onCancel={() => setForm('cancel')} />}
      {mayChange && (
        <button type="button" onClick={() => setForm('check')}>
          Add check
        </button>
      )}
      {mayChange && (
        <button type="button" onClick={() => setForm('labels')}>
          Edit labels
        </button>
      )}
      {may(session, 'delete') && (
        <Menu label={<MoreActions />}>
          {mayAdminister(session) && (
            <button type="button" class="danger" onClick={() => setForm('erase')}>
              Erase texts
            </button>
          )}
          <button type="button" class="danger" onClick={() => setForm('delete')}>
            Delete run
          </button>
        </Menu>
      )}
      {it.error && <Problem error={it.error} />}
      {form && <OpenForm form={form} run={run} onClose={() => setForm(undefined)} onChange={onChange} />}
    </div>
  )
}

interface FormProps {
  form: Form
  run: Run
  onClose: () => void
  onChange: () => void
}

function OpenForm({ form, run, onClose, onChange }: FormProps) {
  if (form === 'check') return <CheckForm run={run} onClose={onClose} onChange={onChange} />
  if (form === 'labels') return <LabelForm run={run} onClose={onClose} onChange={onChange} />
  if (form === 'cancel') return <CancelForm run={run} onClose={onClose} onChange={onChange} />
  if (form === 'delete') return <DeleteForm run={run} onClose={onClose} onConflict={onChange} />
  const { project, runId } = run
  return <EraseDialog title={`Erase the texts of ${runId}?`} project={project} input={{ runId }} onClose={onClose} />
}

interface FinishProps {
  run: Run
  it: Act
  onChange: () => void
  /** Asks whether to cancel the run. */
  onCancel: () => void
}

/** The holder of the lease finishes a run; anyone else can only cancel it. */
function FinishMenu({ run, it, onChange, onCancel }: FinishProps) {
  if (run.status === 'completed' || run.status === 'failed') return null
  const { isBusy } = it
  const act = async (work: () => Promise<unknown>) => {
    if (await it.act(work)) onChange()
  }
  const end = (status: 'completed' | 'failed') =>
    act(() => clientOf(run.project).updateRun({ runId: run.runId, status, ifVersion: etagOf(run) }))
  const isHeld = run.leaseExpiresAt !== null
  const ask = (target: EventTarget | null) => {
    closeMenu(target)
    onCancel()
  }
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
      <button type="button" disabled={isBusy} onClick={({ target }) => (isHeld ? ask(target) : act(() => cancel(run)))}>
        Cancel run
      </button>
      {isHeld && <p class="small muted">An agent holds this run, so only that agent can complete it.</p>}
    </Menu>
  )
}
