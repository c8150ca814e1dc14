import type { ConductError } from '../../client/client.ts'

/** An error in the server's words, and what to do. */
export function Problem({ error, onRetry }: { error: ConductError; onRetry?: () => void }) {
  return (
    <div class="problem" role="alert">
      <p>{error.message}</p>
      {error.requestId && (
        <p class="muted small">
          Request <code>{error.requestId}</code>, as the server's log has it.
        </p>
      )}
      {onRetry && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  )
}
