import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { builtOf, madeOnce, root } from './built.ts'
import { databaseFolder, inMemory } from './folder.ts'

/** The page as it is built from the sources that are there now. */
export function builtPage(): Promise<string> {
  const sources = ['src/{web,client,contract}/**/*.*', 'package-lock.json']
  return builtOf('web', sources, async (outDir) => {
    // Rarely needed, and slow to load.
    const { build } = await import('vite')
    await build({ root: join(root, 'src/web'), logLevel: 'warn', build: { outDir } })
  })
}

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--font-render-hinting=none',
]

/** A browser, started. */
export async function launchBrowser(): Promise<Browser> {
  const { executablePath, env } = await unpackedBrowser()
  // Playwright has pictures pass through files on the disk, for containers with little memory in /dev/shm.
  const ignoreDefaultArgs = databaseFolder === inMemory ? ['--disable-dev-shm-usage'] : []
  return chromium.launch({
    executablePath,
    chromiumSandbox: false,
    args: flags,
    ignoreDefaultArgs,
    env: { ...process.env, ...env },
  })
}

/** The browser of the package @sparticuz/chromium, with the libraries and fonts that it ships, so that nothing needs to be installed. */
async function unpackedBrowser() {
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules/@sparticuz/chromium/package.json'), 'utf8'))
  const folder = await madeOnce(`browser-${version}`, unpackBrowser)
  return {
    executablePath: join(folder, 'chromium'),
    env: {
      LD_LIBRARY_PATH: [join(folder, 'al2023/lib'), process.env.LD_LIBRARY_PATH].filter(Boolean).join(':'),
      FONTCONFIG_FILE: join(folder, 'fonts.conf'),
      XDG_CACHE_HOME: join(folder, 'cache'),
    },
  }
}

async function unpackBrowser(folder: string) {
  const { default: chromium, inflate } = await import('@sparticuz/chromium')
  const before = process.env.TMPDIR
  // That is where it unpacks to.
  process.env.TMPDIR = folder
  try {
    await chromium.executablePath()
    await inflate(join(dirname(fileURLToPath(import.meta.resolve('@sparticuz/chromium'))), '../bin/al2023.tar.br'))
  } finally {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
  }
  // The same letters on every machine, whatever fonts it has.
  const names = ['sans-serif', 'system-ui'].map(
    (name) => `<alias binding="strong"><family>${name}</family><prefer><family>Open Sans</family></prefer></alias>`,
  )
  const folders = `<dir prefix="relative">fonts</dir><dir>/usr/share/fonts</dir><cachedir prefix="xdg">fontconfig</cachedir>`
  writeFileSync(join(folder, 'fonts.conf'), `<?xml version="1.0"?><fontconfig>${folders}${names.join('')}</fontconfig>`)
}

/** A file of the page's origin that runs no script. */
export const fileOfOrigin = 'favicon.svg'

/** Logs a browser in by a page of its own. */
export async function logInContext(context: BrowserContext, home: string, key: string): Promise<void> {
  const page = await context.newPage()
  await logInBy(page, home, key)
  await page.close()
}

/** Logs the browser of a page in with a key: its cookies and its storage are as after a login on the page at `home`. */
export async function logInBy(page: Page, home: string, key: string): Promise<void> {
  const response = await page.request.post(`${home}v1/auth/session`, { data: { key } })
  const { token } = await response.json()
  await page.goto(home + fileOfOrigin)
  await page.evaluate(([name, value]) => localStorage.setItem(name, value), [`conduct.session ${home}`, token] as const)
}
