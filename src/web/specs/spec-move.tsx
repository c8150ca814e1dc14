import { useRef } from 'preact/hooks'
import type { Spec } from '../../nouns/spec/fields.ts'
import { type Act, etagOf, useAct } from '../data/query/change.ts'
import { clientOf } from '../data/query/server.ts'
import { may, useSession } from '../data/query/session.ts'
import { Problem } from '../ui/loading.tsx'
import { Menu } from '../ui/menu.tsx'
import { specLooks, specStatuses } from './spec-status.tsx'

interface Props {
  spec: Spec
  /** Called once it has moved. */
  onMoved: (spec: Spec) => void
  /** Reads the spec again after someone else has changed it. */
  onConflict: () => void
}

interface Move extends Omit<Act, 'act'> {
  move(spec: Spec, status: Spec['status']): Promise<boolean>
}

/** Changes the status of a spec, if the version on screen, or the one that it made here last, is still the current one. */
export function useMove({ onMoved, onConflict }: Omit<Props, 'spec'>): Move {
  const { act, ...state } = useAct(onConflict)
  const last = useRef<Spec>(undefined)
  const move = (spec: Spec, status: Spec['status']) =>
    act(async () => {
      const { id, specId, project, version } = spec
      const made = last.current?.id === id ? last.current.version : 0
      const ifVersion = etagOf({ id, version: Math.max(version, made) })
      const { spec: moved } = await clientOf(project).updateSpec({ specId, status, ifVersion })
      last.current = moved
      onMoved(moved)
    })
  return { ...state, move }
}

/** A menu to change the status of a spec; nothing without the permission. */
export function SpecMove({ spec, ...moving }: Props) {
  const { move, isBusy, error } = useMove(moving)
  if (!may(useSession(), 'agent')) return null
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
            <button key={status} type="button" disabled={isBusy} onClick={() => move(spec, status)}>
              to {specLooks[status].word}
            </button>
          ))}
      </Menu>
      {error && <Problem error={error} />}
    </>
  )
}
