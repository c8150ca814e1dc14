import type { Spec } from '../../api/spec.ts'
import { useAct } from '../data/act.ts'
import { clientOf } from '../data/server.ts'
import { may, useSession } from '../data/session.ts'
import { etagOf } from '../data/version.ts'
import { Menu } from '../ui/menu.tsx'
import { Problem } from '../ui/problem.tsx'
import { specLooks, specStatuses } from './spec-status.tsx'

interface Props {
  spec: Spec
  /** Called once it has moved. */
  onMoved?: (spec: Spec) => void
  /** Reads again what somebody else had changed before. */
  onConflict: () => void
}

/** A menu that gives a spec another status, by the version that is shown; nothing for who may not. */
export function SpecMove({ spec, onMoved, onConflict }: Props) {
  const { act, isBusy, error } = useAct(onConflict)
  if (!may(useSession(), 'agent')) return null
  const move = (status: Spec['status']) =>
    act(async () => {
      const { specId, project } = spec
      const { spec: moved } = await clientOf(project).updateSpec({ specId, status, ifVersion: etagOf(spec) })
      onMoved?.(moved)
    })
  return (
    <>
      <Menu
        key={spec.status}
        label={
          <span>
            Move<span class="unseen"> {spec.specId}</span>
          </span>
        }
      >
        {specStatuses
          .filter((status) => status !== spec.status)
          .map((status) => (
            <button key={status} type="button" disabled={isBusy} onClick={() => move(status)}>
              to {specLooks[status].word}
            </button>
          ))}
      </Menu>
      {error && <Problem error={error} />}
    </>
  )
}
