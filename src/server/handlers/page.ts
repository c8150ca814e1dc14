import { hash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { HonoRequest } from 'hono'
import { getMimeType } from 'hono/utils/mime'
import { root } from '../../root.ts'
import type { Handler, ResponseParts } from './handler.ts'

/** Where the build puts the page. */
const builtFolder = join(root, 'dist/web')

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

const plain = { 'content-type': 'text/plain; charset=utf-8' }

interface WebFile {
  bytes: Uint8Array<ArrayBuffer>
  /** Returns undefined if that is not shorter. Compresses the file once, on first use. */
  gzipped(): Uint8Array<ArrayBuffer> | undefined
  headers: Record<string, string>
}

/**
 * Serves the dashboard below `basePath`. Reads its files once, on first use, and serves no others. Redirects browsers that
 * visit other addresses to the dashboard.
 */
export function pageHandler(basePath: string, folder = builtFolder): Handler {
  let files: Map<string, WebFile> | undefined
  const home = `${basePath}/`
  const fileAt = (path: string) => {
    files ??= readFiles(folder)
    return files?.get(path === home ? 'index.html' : path.slice(home.length))
  }

  return {
    label: 'page',
    methods: ['GET'],
    paths: ['/', `${basePath}/*`],
    takes: (request) => {
      const { path } = request
      const isOurs = path.startsWith(home) && (isHome(path, home) || fileAt(path) !== undefined)
      return isOurs || path === basePath || (isVisit(request) && !path.startsWith(`${home}v1/`))
    },
    async answer({ request }) {
      const { path } = request
      const file = path.startsWith(home) ? fileAt(path) : undefined
      if (file) return answerOf(file, request)
      if (isHome(path, home)) return notBuilt(basePath)
      // The page uses relative addresses, so it has exactly one address, with the slash.
      return { status: 302, headers: { ...security, ...plain, location: home }, body: `The page is at ${home}\n` }
    },
  }
}

const isHome = (path: string, home: string) => path === home || path === `${home}index.html`

/** Returns undefined if the page is not built, which may happen later while the server runs. */
function readFiles(folder: string): Map<string, WebFile> | undefined {
  if (!existsSync(join(folder, 'index.html'))) return undefined
  const found = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = found.map(({ parentPath, name }) => join(parentPath, name))
  return new Map(paths.map((path) => [relative(folder, path).replaceAll(sep, '/'), readFile(folder, path)]))
}

function readFile(folder: string, path: string): WebFile {
  const bytes = new Uint8Array(readFileSync(path))
  let gzipped: Uint8Array<ArrayBuffer> | undefined
  // The build names what is in this folder by its content.
  const isHashed = relative(folder, path).startsWith(`assets${sep}`)
  return {
    bytes,
    gzipped() {
      gzipped ??= new Uint8Array(gzipSync(bytes))
      return gzipped.length < bytes.length ? gzipped : undefined
    },
    headers: {
      ...security,
      'content-type': getMimeType(path) ?? 'application/octet-stream',
      'cache-control': isHashed ? 'public, max-age=31536000, immutable' : 'no-cache',
      etag: `W/"${hash('sha256', bytes).slice(0, 32)}"`,
      vary: 'Accept-Encoding',
    },
  }
}

function answerOf({ bytes, gzipped, headers }: WebFile, request: HonoRequest): ResponseParts {
  const known = request.header('if-none-match')?.split(',') ?? []
  if (known.some((tag) => tag.trim() === headers.etag)) return { status: 304, headers, body: null }
  const short = acceptsGzip(request.header('accept-encoding') ?? '') ? gzipped() : undefined
  return short
    ? { status: 200, headers: { ...headers, 'content-encoding': 'gzip' }, body: short }
    : { status: 200, headers, body: bytes }
}

/** Whether an Accept-Encoding header allows gzip. Reads its first 1,000 characters. */
export const acceptsGzip = (encodings: string) =>
  /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(encodings.slice(0, 1000))

/** Whether a person opened the address in a browser; neither a program nor the page loading one of its files. */
const isVisit = (request: HonoRequest) =>
  !request.path.includes('.', request.path.lastIndexOf('/')) &&
  (request.header('accept')?.includes('text/html') ?? false)

function notBuilt(basePath: string): ResponseParts {
  const body = `The page is not built. In a checkout of Conduct, run: npm run build\nThen load this again. The API is at work without it, and described at ${basePath}/docs.\n`
  return { status: 404, headers: { ...security, ...plain }, body }
}
