import { getPath } from 'hono/utils/url'
import { ConductError } from '../api/error.ts'
import { cut } from '../api/explain.ts'
import type { Exchange } from './exchange.ts'

/** Longer than any address that there is: what comes after is not looked at. */
const longestPath = 2000

/** The path of a request; cut before it is decoded, which is work. */
export const pathOf = ({ url }: Request) => getPath({ url: url.slice(0, longestPath) } as Request)

/** A path as Hono takes it, with `:name` for one segment, and a method that goes with it. */
export interface Way {
  method: string
  path: string
}

/** Refuses what no way leads to: METHOD_NOT_ALLOWED, with the methods of the address, or NOT_FOUND where it has none. */
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
