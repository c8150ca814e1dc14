import { hash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { HonoRequest } from 'hono'
import { getMimeType } from 'hono/utils/mime'

/** Where the build puts the page, seen from `src/` and from `dist/` alike. */
const builtFolder = fileURLToPath(new URL('../../../dist/web', import.meta.url))

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

const security = {
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
}

interface WebFile {
  bytes: Uint8Array<ArrayBuffer>
  /** Where that is shorter. */
  gzipped: Uint8Array<ArrayBuffer> | undefined
  headers: Record<string, string>
}

/** Serves the page below `basePath`: its files are read once, when first asked for, and no others can be. */
export function createWeb(basePath: string, folder = builtFolder) {
  let files: Map<string, WebFile> | undefined

  /** The answer to a GET; undefined for what is no address of the page. */
  return (request: HonoRequest): Response | undefined => {
    const path = request.path.slice(basePath.length + 1)
    const isHome = path === '' || path === 'index.html'
    files ??= readFiles(folder)
    const file = files?.get(isHome ? 'index.html' : path)
    if (isHome && !file) return notBuilt(basePath)
    // The page finds its files and the API from where it is, so it is at one address, with the slash.
    if (request.path === basePath || (!file && isVisit(request))) return toHome(basePath)
    return file && answer(file, request)
  }
}

/** undefined while there is no page: it may be built while the server runs. */
function readFiles(folder: string): Map<string, WebFile> | undefined {
  if (!existsSync(join(folder, 'index.html'))) return undefined
  const found = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = found.map(({ parentPath, name }) => join(parentPath, name))
  return new Map(paths.map((path) => [relative(folder, path).replaceAll(sep, '/'), readFile(folder, path)]))
}

function readFile(folder: string, path: string): WebFile {
  const bytes = new Uint8Array(readFileSync(path))
  const gzipped = new Uint8Array(gzipSync(bytes))
  // The build names what is in this folder by its content.
  const isHashed = relative(folder, path).startsWith(`assets${sep}`)
  return {
    bytes,
    gzipped: gzipped.length < bytes.length ? gzipped : undefined,
    headers: {
      ...security,
      'content-type': getMimeType(path) ?? 'application/octet-stream',
      'cache-control': isHashed ? 'public, max-age=31536000, immutable' : 'no-cache',
      etag: `W/"${hash('sha256', bytes).slice(0, 32)}"`,
      vary: 'Accept-Encoding',
    },
  }
}

function answer({ bytes, gzipped, headers }: WebFile, request: HonoRequest): Response {
  const known = request.header('if-none-match')?.split(',') ?? []
  if (known.some((tag) => tag.trim() === headers.etag)) return new Response(null, { status: 304, headers })
  return gzipped && acceptsGzip(request.header('accept-encoding') ?? '')
    ? new Response(gzipped, { headers: { ...headers, 'content-encoding': 'gzip' } })
    : new Response(bytes, { headers })
}

/** Whether an Accept-Encoding takes gzip; what lies beyond 1,000 characters does not count. */
export const acceptsGzip = (encodings: string) =>
  /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(encodings.slice(0, 1000))

/** Whether somebody has opened the address in a browser, rather than a program, or the page for a file of its own. */
const isVisit = (request: HonoRequest) =>
  !request.path.includes('.', request.path.lastIndexOf('/')) &&
  (request.header('accept')?.includes('text/html') ?? false)

const toHome = (basePath: string) =>
  new Response(null, { status: 302, headers: { ...security, location: `${basePath}/` } })

function notBuilt(basePath: string): Response {
  const words = `The page is not built. In a checkout of Conduct, run: npm run build\nThen load this again. The API is at work without it, and described at ${basePath}/docs.\n`
  const headers = { ...security, 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }
  return new Response(words, { status: 404, headers })
}
