/**
 * The names that need an owner. A name is null until its owner exists, and then no page, manifest or workflow claims it.
 * After a change, run `npm run generate`; `npm run release:check` lists what is still null.
 */
export interface Names {
  /** The repository, as a page: `https://github.com/OWNER/conduct`. */
  repository: string | null
  /** The package on the npm registry, once it is published: `conduct-ledger`. */
  npm: string | null
  /** The image without its tag: `ghcr.io/OWNER/conduct`. */
  image: string | null
  /** What `claude plugin marketplace add` takes: `OWNER/conduct`. */
  marketplace: string | null
  /** The name in the MCP registry: `io.github.OWNER/conduct`. */
  mcp: string | null
}

export const names: Names = {
  repository: null,
  npm: null,
  image: null,
  marketplace: null,
  mcp: null,
}

/** The names that are still missing. */
export const unset = (all: Names = names): string[] =>
  Object.entries(all).flatMap(([name, value]) => (value === null ? [name] : []))
