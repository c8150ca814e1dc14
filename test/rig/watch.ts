import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { BrowserContext, Page } from 'playwright-core'
import { launchBrowser } from '../support/unpacked.ts'
import type { Finding } from './expect.ts'
import type { Place } from './place.ts'
import type { Ran } from './run.ts'

/** What a person sees on the dashboard while a session goes on, without ever reloading it. */
interface Watch {
  /** What was expected on the dashboard and not seen. Call it once the session has ended. */
  findings(ran: Ran): Promise<Finding[]>
  close(): Promise<void>
}

/** In the order in which a session shows them. */
const sights = ['lane at work', 'tool in the lane', 'open turn', 'tool in the open turn', 'first turn'] as const
type Sight = (typeof sights)[number]

const pauseMs = 100
/** How old what the ledger says of the open turn may be, in milliseconds. */
const oldestMs = 5_000
/** How long the last sights may take once the session has ended, in milliseconds. */
const patienceMs = 15_000

/** Opens the dashboard of the place on *Now*, and in another tab the first run that appears there. */
export async function startWatch(place: Place): Promise<Watch> {
  const server = spawn('conduct', ['serve', '--port', '0'], {
    cwd: place.repository,
    env: place.env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  await once(server.stdout, 'data')
  const browser = await launchBrowser()
  const close = async () => {
    await browser.close()
    server.kill('SIGTERM')
    await once(server, 'exit')
  }
  try {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
    const now = await context.newPage()
    await now.goto(place.conduct('open', '--print'))
    await now.locator('#live').waitFor()
    return watchOn({ place, context, now, seen: new Set(), read: [] }, close)
  } catch (error) {
    await close()
    throw error
  }
}

function watchOn(looking: Looking, end: () => Promise<void>): Watch {
  const { place, seen } = looking
  const ending = new AbortController()
  const watching = lookOn(looking, ending.signal)
  const reading = readOn(looking, ending.signal)
  return {
    async findings(ran) {
      ending.abort()
      const run = await watching
      await reading
      const missing = sights.filter((sight) => !seen.has(sight))
      const left = run ? await missingOn(run, ran) : ['run']
      await run?.screenshot({ path: join(place.folder, 'run.png'), fullPage: true })
      return [
        ...[...missing, ...left].map((name) => ({ name: `seen: ${name}`, scripted: true, recorded: false })),
        ...lateIn(looking.read, ran),
      ]
    },
    async close() {
      ending.abort()
      await Promise.allSettled([watching, reading])
      await end()
    },
  }
}

interface Looking {
  place: Place
  context: BrowserContext
  now: Page
  seen: Set<Sight>
  /** What the ledger said of the turns. */
  read: Reading[]
}

/** What the ledger says of the turns of a run while its agent works. */
interface Reading {
  /** When it was asked, and when it had answered, in milliseconds since 1970. */
  from: number
  to: number
  prompts: string[]
  /** How many calls of tools the turns have. */
  tools: number
}

/** Reads the turns of the only run again and again until the session has ended. */
async function readOn({ place, read }: Looking, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    const from = Date.now()
    const turns = await turnsIn(place)
    const tools = turns.flatMap(({ tools = [] }) => tools).reduce((sum, { count }) => sum + count, 0)
    read.push({ from, to: Date.now(), prompts: turns.map(({ prompt = '' }) => prompt), tools })
    await after(pauseMs)
  }
}

interface Turn {
  prompt?: string
  tools?: { count: number }[]
}

async function turnsIn({ env, repository: cwd }: Place): Promise<Turn[]> {
  const call = async (...words: string[]) => {
    const { stdout } = await promisify(execFile)('conduct', [...words, '--json'], { cwd, env })
    return JSON.parse(stdout)
  }
  const [run] = (await call('run', 'list')).runs as { runId: string }[]
  return run ? (await call('run', 'turns', run.runId)).turns : []
}

/** Readings that lacked what the agent had done some seconds before, or had what it had not done yet. */
function lateIn(read: Reading[], { session, played }: Ran): Finding[] {
  const callsAt = (at: number) => played.asked.findLast((one) => one.at <= at)?.calls
  const late = read.flatMap(({ from, to, prompts, tools }): Finding[] => {
    const [least, most] = [callsAt(from - oldestMs), callsAt(to) ?? 0]
    // The calls of the last reply may be under way.
    const next = played.asked.find(({ at }) => at > to)?.calls ?? played.calls.length
    if (least === undefined) return []
    if (prompts[0] !== session.prompt)
      return [{ name: 'open turn: prompt', scripted: session.prompt, recorded: prompts }]
    return tools < least || tools > Math.max(most, next)
      ? [{ name: 'open turn: tools', scripted: [least, Math.max(most, next)], recorded: tools }]
      : []
  })
  const isRead = read.some(({ from }) => (callsAt(from - oldestMs) ?? 0) > 0)
  return isRead ? late : [...late, { name: 'open turn: read', scripted: true, recorded: false }]
}

/** Notes what appears until the session has ended. Returns the page of its run. */
async function lookOn({ place, context, now, seen }: Looking, over: AbortSignal): Promise<Page | undefined> {
  let run: Page | undefined
  while (!over.aborted) {
    const lane = now.locator('.lane')
    if (!run && (await lane.count()) > 0) run = await opened(context, now)
    const shown: [Sight, boolean][] = [
      ['lane at work', await isThere(lane.getByText(/^working, /))],
      ['tool in the lane', await isThere(lane.locator('.doing code'))],
      ['open turn', run !== undefined && (await isThere(run.locator('.turn.open')))],
      ['tool in the open turn', run !== undefined && (await isThere(run.locator('.turn.open .doing code')))],
      ['first turn', run !== undefined && (await isThere(run.locator('#turn-1')))],
    ]
    for (const [sight, isSeen] of shown) {
      if (!isSeen || seen.has(sight)) continue
      seen.add(sight)
      if (sight === 'tool in the lane') await now.screenshot({ path: join(place.folder, 'now.png') })
      if (sight === 'tool in the open turn') await run?.screenshot({ path: join(place.folder, 'open-turn.png') })
    }
    await after(pauseMs)
  }
  return run
}

const isThere = async (locator: ReturnType<Page['locator']>) => (await locator.count()) > 0

/** The page of the first run on *Now*. */
async function opened(context: BrowserContext, now: Page): Promise<Page> {
  const link = await now.locator('.lane a.title').first().getAttribute('href')
  const run = await context.newPage()
  await run.goto(new URL(String(link), now.url()).href)
  return run
}

/** What the page of the run does not show although the session has ended. */
async function missingOn(run: Page, { played, session }: Ran): Promise<string[]> {
  const answer = (played.answer ?? '').split('\n')[0] ?? ''
  const expected: [name: string, locator: ReturnType<Page['locator']>][] = [
    ['completed', run.locator('.standing').getByText('Completed')],
    ['verdict', run.locator('.standing').getByText(session.verdict === 'verified' ? 'Verified' : 'Unchecked')],
    ['last answer', run.getByText(answer).first()],
  ]
  const missing = await Promise.all(
    expected.map(([name, locator]) =>
      locator.waitFor({ timeout: patienceMs }).then(
        () => [],
        () => [name],
      ),
    ),
  )
  return missing.flat()
}
