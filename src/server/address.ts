import { getPath } from 'hono/utils/url'
import { ConductError } from '../contract/error.ts'
import { cut } from '../contract/explain.ts'
import type { Exchange } from './exchange.ts'

/** Longer than any valid path. The rest is ignored. */
const longestPath = 2000

/** The path of a request, cut before it is decoded, because decoding can be slow. */
export const pathOf = ({ url }: Request) => getPath({ url: url.slice(0, longestPath) } as Request)

/** A path pattern of Hono, with `:name` for one segment, and a method. */
interface Way {
  method: string
  path: string
}

/** Creates the error for unknown addresses: METHOD_NOT_ALLOWED if the path exists with other methods, else NOT_FOUND. */
export function createRefusal(ways: readonly Way[], basePath: string) {
  const known = ways.map(({ method, path }) => ({
    method,
    pattern: new RegExp(`^${path.replaceAll('.', '\\.').replace(/:\w+/g, '[^/]+')}$`),
  }))

  return ({ request, headers }: Exchange): ConductError => {
    const { method, path } = request
    const methods = known.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method)
    if (methods.length === 0) {
      const words = `There is nothing at ${cut(path)}; the API is described at ${basePath}/docs.`
      return new ConductError('NOT_FOUND', words)
    }
    headers.allow = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ')
    return new ConductError(
      'METHOD_NOT_ALLOWED',
      `${cut(method)} is not allowed at ${cut(path)}; allowed are ${headers.allow}.`,
    )
  }
}
