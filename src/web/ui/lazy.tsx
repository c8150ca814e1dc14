import type { Attributes, ComponentChildren, ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { ConductError } from '../../client/client.ts'
import { Problem } from './problem.tsx'

/**
 * A component whose code is loaded when it is first shown, or before by its `load`. Until then `meanwhile` stands in its
 * place.
 */
export function lazy<Props extends object>(
  read: () => Promise<{ default: ComponentType<Props> }>,
  meanwhile: ComponentChildren = null,
) {
  let Loaded: ComponentType<Props> | undefined
  const load = async () => {
    Loaded ??= (await read()).default
  }
  function Lazy(props: Props & Attributes) {
    const [error, setError] = useState<ConductError>()
    const [, draw] = useState(false)
    useEffect(() => {
      if (Loaded) return
      load().then(
        () => draw(true),
        (cause) => setError(gone(cause)),
      )
    }, [])
    if (error) return <Problem error={error} onRetry={() => location.reload()} />
    return Loaded ? <Loaded {...props} /> : meanwhile
  }
  return Object.assign(Lazy, { load })
}

const gone = (cause: unknown) =>
  new ConductError(
    'UNAVAILABLE',
    `This part of the page could not be loaded: the server is away, or was updated since the page was opened. (${cause instanceof Error ? cause.message : cause})`,
    { cause },
  )
