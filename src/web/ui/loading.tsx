import type { Attributes, ComponentChildren, ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { ConductError } from '../../client/client.ts'
import type { List } from '../data/query/list.ts'

interface Props {
  rows: number
  /** What is loading. Default: rows of a list. */
  of?: 'rows' | 'lanes' | 'cards' | 'charts' | 'page'
}

/** A placeholder of the same height as what is loading, so that nothing jumps. It appears after a moment. */
export function Skeleton({ rows, of = 'rows' }: Props) {
  return (
    <div class={`skeleton ${of}`} role="status">
      <span class="unseen">Loading …</span>
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} />
      ))}
    </div>
  )
}

/** An error in the server's words, and what to do. For what does not exist, it does not offer to try again. */
export function Problem({ error, onRetry }: { error: ConductError; onRetry?: () => void }) {
  if (error.code === 'NOT_FOUND') {
    return (
      <div class="problem" role="alert">
        <p>{error.message}</p>
      </div>
    )
  }
  return (
    <div class="problem" role="alert">
      <p>{error.message}</p>
      {error.requestId && (
        <p class="muted small">
          In the server’s log, this is request <code>{error.requestId}</code>.
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

/**
 * A component whose code is loaded when it is first shown, or before by its `load`. Until then `meanwhile` stands in its
 * place.
 */
export function lazy<Props extends object>(
  read: () => Promise<{ default: ComponentType<Props> }>,
  meanwhile: ComponentChildren = null,
) {
  let Loaded: ComponentType<Props> | undefined
  let hasFailed = false
  const load = async () => {
    try {
      Loaded ??= (await read()).default
    } catch (cause) {
      hasFailed = true
      throw cause
    }
  }
  function Lazy(props: Props & Attributes) {
    const [error, setError] = useState<ConductError>()
    const [, draw] = useState(false)
    useEffect(() => {
      if (Loaded) return
      // A document never loads a module again that it could not load once.
      const isAgain = hasFailed
      load().then(
        () => draw(true),
        async (cause) => {
          if (isAgain && (await isServed())) location.reload()
          else setError(gone(cause))
        },
      )
    }, [])
    if (error) return <Problem error={error} onRetry={() => location.reload()} />
    return Loaded ? <Loaded {...props} /> : meanwhile
  }
  return Object.assign(Lazy, { load })
}

const isServed = () =>
  fetch(location.href, { method: 'HEAD', cache: 'no-store' }).then(
    ({ ok }) => ok,
    () => false,
  )

const gone = (cause: unknown) =>
  new ConductError(
    'UNAVAILABLE',
    `This part of the page could not be loaded: the server is away, or was updated since the page was opened. (${cause instanceof Error ? cause.message : cause})`,
    { cause },
  )

/** The end of a list: a button for the next page, or the error. */
export function More({ list: { error, hasMore, isCurrent, more, reload } }: { list: Omit<List<unknown>, 'items'> }) {
  if (error) return <Problem error={error} onRetry={reload} />
  if (!hasMore) return null
  return (
    <p class="more">
      <button type="button" disabled={!isCurrent} onClick={more}>
        Show more
      </button>
    </p>
  )
}
