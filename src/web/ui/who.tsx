import { noteLogout } from '../data/browser/draft.ts'
import { tell } from '../data/log/stream.ts'
import { useAct } from '../data/query/change.ts'
import { client, dropToken } from '../data/query/server.ts'
import { useSession } from '../data/query/session.ts'
import { Icon } from './icon.tsx'
import { Problem } from './loading.tsx'

/** The key in use, and the logout button. The local user has no session to end. */
export function Who() {
  const { key } = useSession()
  const { act, isBusy, error } = useAct()
  if (!key) return <p class="who muted">Local user</p>
  const leave = async () => {
    if (!(await act(() => client.deleteSession()))) return
    dropToken()
    const at = Date.now()
    noteLogout(at)
    tell({ kind: 'left', at })
    tell({ kind: 'over' })
  }
  return (
    <div class="row">
      <p class="who muted" title={`${key.permissions.join(', ')}${key.project ? ` in ${key.project}` : ''}`}>
        {key.name}
      </p>
      <button type="button" class="plain" disabled={isBusy || !isSecureContext} onClick={leave} title="Log out">
        <Icon name="leave" />
        <span class="unseen">Log out</span>
      </button>
      {error && <Problem error={error} />}
    </div>
  )
}
