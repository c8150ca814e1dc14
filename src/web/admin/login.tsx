import { useEffect, useState } from 'preact/hooks'
import type { ConductError, Input } from '../../client/client.ts'
import { useAct } from '../data/act.ts'
import { hasSession, requireCookie } from '../data/cookie.ts'
import { tell } from '../data/live.ts'
import { failureOf } from '../data/read.ts'
import { doorClient } from '../data/server.ts'
import { keepToken } from '../data/token.ts'
import { Problem } from '../ui/loading.tsx'

interface Props {
  code: string | undefined
  /** Why the server did not say who is logged in. */
  refusal?: ConductError
  onRetry?: () => void
}

/** Begins a session, of which only this page can then use the cookie. */
async function logIn(by: Input<'createSession'>): Promise<void> {
  try {
    const { token } = await doorClient.createSession(by)
    keepToken(token)
  } catch (error) {
    // The code may have logged this browser in before, in another tab.
    const isUsed = 'code' in by && failureOf(error).code === 'UNAUTHORIZED'
    if (!isUsed || !(await hasSession())) throw error
  }
}

/** Exchanges a key, or the one-time code of a login link, for a session that scripts cannot read. */
export function Login({ code, refusal, onRetry }: Props) {
  const { act, isBusy, error } = useAct()
  const [key, setKey] = useState('')
  const begin = async (by: Input<'createSession'>) => {
    const login = async () => {
      await logIn(by)
      await requireCookie()
    }
    if (await act(login)) tell({ kind: 'begun' })
  }
  useEffect(() => {
    document.title = 'Log in · Conduct'
    if (code !== undefined) void begin({ code })
  }, [code])
  const submit = (event: Event) => {
    event.preventDefault()
    void begin({ key: key.trim() })
  }
  return (
    <main class="login">
      <img src="./favicon.svg" alt="" width="40" height="40" />
      <h1>Log in to Conduct</h1>
      <form onSubmit={submit}>
        <label class="field">
          Key
          <input
            type="password"
            name="key"
            autocomplete="current-password"
            placeholder="sk_…"
            required
            value={key}
            onInput={(event) => setKey(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="main" disabled={isBusy}>
          Log in
        </button>
      </form>
      {error ? <Problem error={error} /> : refusal && <Problem error={refusal} onRetry={onRetry} />}
      <p class="muted small">The first start of the server says where the first key is. An admin creates others.</p>
    </main>
  )
}
