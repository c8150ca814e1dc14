import type { Attributes, ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { ConductError } from '../../client/client.ts'
import { Problem } from './problem.tsx'

/** A component whose code is loaded when it is first shown. */
export function lazy<Props extends object>(load: () => Promise<{ default: ComponentType<Props> }>) {
  let Loaded: ComponentType<Props> | undefined
  return function Lazy(props: Props & Attributes) {
    const [error, setError] = useState<ConductError>()
    const [, draw] = useState(false)
    useEffect(() => {
      if (Loaded) return
      load().then(
        (module) => {
          Loaded = module.default
          draw(true)
        },
        (cause) => setError(gone(cause)),
      )
    }, [])
    if (error) return <Problem error={error} onRetry={() => location.reload()} />
    return Loaded ? <Loaded {...props} /> : null
  }
}

const gone = (cause: unknown) =>
  new ConductError(
    'UNAVAILABLE',
    `This part of the page could not be loaded: the server is away, or was updated since the page was opened. (${cause instanceof Error ? cause.message : cause})`,
    { cause },
  )
