import { useSession } from '../session.ts'

/** Whose key looks at the page. */
export function Who() {
  const { key } = useSession()
  if (!key) return <p class="who muted">Local user</p>
  return (
    <p class="who muted" title={`${key.permissions.join(', ')}${key.project ? ` in ${key.project}` : ''}`}>
      {key.name}
    </p>
  )
}
