import { useEffect } from 'preact/hooks'
import { useRead } from '../data/query/read.ts'
import { client } from '../data/query/server.ts'
import { mayAdminister, useSession } from '../data/query/session.ts'

/** No event says that the server begins to doubt its clock, or ends to. */
const readEveryMs = 5 * 60_000

/** Says that the server doubts its clock, while it does. */
export function ClockNotice() {
  const { data, reload } = useRead('clock', (signal) => client.me({}, { signal }), { everyMs: readEveryMs })
  const isAdmin = mayAdminister(useSession())
  useEffect(() => {
    addEventListener('focus', reload)
    return () => removeEventListener('focus', reload)
  }, [])
  if (data?.clockWarning === undefined) return null
  return (
    <details class="clock-notice">
      <summary>
        <b>The server’s clock may be wrong.</b> Nothing is removed for its age meanwhile.
      </summary>
      <p>{data.clockWarning}</p>
      <p>
        {isAdmin ? (
          <>
            <code>conduct doctor</code> on the server compares the clock with the ledger. If the clock is right, do
            nothing: the server will trust it again.
          </>
        ) : (
          'Recording works as usual. An admin of the server can set the clock.'
        )}
      </p>
    </details>
  )
}
