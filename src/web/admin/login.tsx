import { useEffect, useState } from 'preact/hooks'
import { ConductError, type Input } from '../../client/client.ts'
import { base } from '../app/router.ts'
import { tell } from '../data/log/stream.ts'
import { useAct } from '../data/query/change.ts'
import { failureOf } from '../data/query/read.ts'
import { keepToken, loginClient } from '../data/query/server.ts'
import { showCount } from '../ui/head.tsx'
import { Problem } from '../ui/loading.tsx'

interface Props {
  code: string | undefined
  /** Whether the page was in use until the server ended its session. */
  hasEnded?: boolean
  /** Why the server did not say who is logged in. */
  refusal?: ConductError
  onRetry?: () => void
}

/** Begins a session, of which only this page can then use the cookie. */
async function logIn(by: Input<'createSession'>): Promise<void> {
  try {
    const { token } = await loginClient.createSession(by)
    keepToken(token)
  } catch (error) {
    // The code may have logged this browser in before, in another tab.
    const isUsed = 'code' in by && failureOf(error).code === 'UNAUTHORIZED'
    if (!isUsed || !(await hasSession())) throw error
  }
}

/** Exchanges a key, or the one-time code of a login link, for a session that scripts cannot read. */
export function Login({ code, hasEnded = false, refusal, onRetry }: Props) {
  // A wrong key ends no session, which another tab may have.
  const { act, isBusy, error } = useAct(undefined, () => {})
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
    showCount(0)
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
      {hasEnded && (
        <p role="status">You were logged out: the session or its key has expired, or the key was revoked.</p>
      )}
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
      <p class="muted small">
        On a machine that is set up for this server, <code>conduct open</code> logs you in. Without a key, ask an admin
        for one. The first start of the server says where the first key is.
      </p>
    </main>
  )
}

/** Whether the browser has a session. */
const hasSession = (): Promise<boolean> =>
  loginClient.me().then(
    () => true,
    () => false,
  )

/** Checks that the browser sends the session cookie back. Throws UNAUTHORIZED with the reason if it does not. */
async function requireCookie(): Promise<void> {
  try {
    await loginClient.me()
  } catch (error) {
    const failure = failureOf(error)
    throw failure.code === 'UNAUTHORIZED' ? new ConductError('UNAUTHORIZED', await reasonOf()) : failure
  }
}

/** Why the cookie did not come back: it has another path, or the browser does not store it. */
async function reasonOf(): Promise<string> {
  const here = new URL(base).pathname
  const there = await servedAt()
  if (there !== undefined && !here.startsWith(there)) {
    return `You are logged in, but at another path: this page is at ${here}, and the server says that it is at ${there}. A proxy rewrites the path. Set CONDUCT_BASE_PATH to ${here.replace(/\/$/, '') || '/'} and let the proxy keep the path.`
  }
  return `The server accepted the key, but the browser did not keep the session's cookie. Allow cookies for ${location.host}, and check that a proxy passes Set-Cookie on; then log in again.`
}

/** The base path that the server believes it has, from its API description; undefined if that cannot be read. */
async function servedAt(): Promise<string | undefined> {
  try {
    const { servers } = await (await fetch(`${base}openapi.json`)).json()
    return `${new URL(servers[0].url, location.href).pathname.replace(/\/$/, '')}/`
  } catch {
    return undefined
  }
}
