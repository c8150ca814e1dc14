/**
 * The demo's team builds Harbor, a site for renting boats. This file says who works there, on which parts of the code,
 * and what they write.
 */

export const people = ['ada', 'mateo', 'yuki'] as const
type Person = (typeof people)[number]

export const persons: Record<Person, string> = {
  ada: 'Ada Lund <ada@harbor.example>',
  mateo: 'Mateo Ruiz <mateo@harbor.example>',
  yuki: 'Yuki Tanaka <yuki@harbor.example>',
}

/** Everyone with a key. Agents name whose they are, their machine, their model, and its price per million tokens (USD). */
export const agents = {
  'claude-code': {
    of: 'ada',
    host: 'ada-laptop',
    cwd: '/home/ada/harbor',
    model: 'claude-sonnet',
    input: 3,
    output: 15,
  },
  codex: {
    of: 'mateo',
    host: 'mateo-desktop',
    cwd: '/home/mateo/src/harbor',
    model: 'gpt-codex',
    input: 1.25,
    output: 10,
  },
  cursor: { of: 'yuki', host: 'yuki-laptop', cwd: '/Users/yuki/harbor', model: 'composer', input: 1.5, output: 7.5 },
} as const
export type Agent = keyof typeof agents

export type TeamMember = Agent | Person | 'ci'

export const repository = 'https://git.example.com/harbor/harbor'
export const jobs = 'https://ci.example.com/harbor/jobs'

export interface ProductPart {
  name: string
  file: string
  description: string
  files: readonly string[]
}

/** The parts of the code base, by the prefix of the ids of their specs. */
export const parts: Record<string, ProductPart> = {
  BOOK: {
    name: 'booking',
    file: 'src/booking/',
    description: 'Holds, prices and changes of a booking',
    files: ['hold.ts', 'price.ts', 'booking-page.tsx'],
  },
  CAL: {
    name: 'calendar',
    file: 'src/calendar/',
    description: 'Availability, seasons and maintenance',
    files: ['free-days.ts', 'season.ts', 'month.tsx'],
  },
  PAY: {
    name: 'payments',
    file: 'src/payments/',
    description: 'Cards, deposits and refunds',
    files: ['charge.ts', 'refund.ts', 'webhook.ts'],
  },
  AUTH: {
    name: 'login',
    file: 'src/auth/',
    description: 'Passkeys, email links, sessions, helpers',
    files: ['passkey.ts', 'session.ts', 'login-page.tsx'],
  },
  FIND: {
    name: 'search',
    file: 'src/search/',
    description: 'Search by place, size and date, and the map',
    files: ['query.ts', 'index.ts', 'results.tsx'],
  },
  MAIL: {
    name: 'mail',
    file: 'src/mail/',
    description: 'Reminders and receipts for guests and owners',
    files: ['templates.ts', 'queue.ts', 'unsubscribe.ts'],
  },
  OPS: {
    name: 'operations',
    file: 'deploy/',
    description: 'Builds, deploys, backups, alerts',
    files: ['backup.sh', 'alerts.yaml', 'pipeline.yaml'],
  },
}

/** What agents write while they work. `{file}` stands for one of the changed files. */
export const steps = [
  'Read `{file}` and its tests',
  'Found three other callers of `{file}`',
  'Added a failing test',
  'Changed `{file}`; the new test passes',
  'Fixed a type error in `{file}` by narrowing the argument',
  'Ran the tests of this folder: all pass',
  'Moved duplicated code into `{file}`',
  'Handled the nullable columns of the schema',
  'Checked the page at a width of 360 px',
  'Removed dead code',
  'Reviewed the full diff',
]

/** What people answer to the first half of the work. */
export const goAheads = [
  'Looks good, go ahead and finish it.',
  'Yes, but keep the old function for one release.',
  'Fine. Please cover the empty case, too.',
  'Go on, but leave the schema as it is.',
  'Good. Use the names from the spec.',
  'Agreed. Keep the diff small, so that I can review it today.',
  'Use one transaction for both, then finish it.',
]

/** What agents say about their work at its end. */
export const remarks = [
  'All 214 tests pass.',
  'All 214 tests pass, and the new one fails without the change.',
  'All 214 tests pass. The public types are as they were.',
  'All 214 tests pass. One caller passed null; it passes an empty list now.',
  'All 214 tests pass. The page is usable at a width of 360 px.',
  'All 214 tests pass. I removed a helper that nothing used any more.',
]

/** What some of them ask. */
export const question = '\nShould I also remove the old code path, or keep it for one release?\n'

export const failures = [
  {
    code: 'TESTS_FAILED',
    message:
      '2 of 214 tests still fail after three attempts: price.test.ts reads the price before the hold is committed.',
  },
  { code: 'CONTEXT_LIMIT', message: 'The context window filled up while reading src/generated/client.ts.' },
  { code: 'MERGE_CONFLICT', message: 'The rebase onto main conflicts in 2 files; stopped without resolving them.' },
  { code: 'QUOTA_EXCEEDED', message: '429: the provider’s hourly token limit is used up.' },
]

/** What checks print or people write, by result. */
export const findings = {
  fail: {
    contentType: 'text/x-terminal',
    content: `
> harbor@4.12.0 test
> node --test

✔ holds a boat for ten minutes (18.402ms)
✔ releases a hold that was not paid (22.118ms)
\x1b[31m✖ two guests book the same boat in the same second (104.317ms)\x1b[39m
ℹ tests 214
ℹ pass 213
ℹ fail 1
ℹ duration_ms 8231.407

\x1b[31m✖ failing tests:\x1b[39m

test at src/booking/hold.test.ts:88:1
✖ two guests book the same boat in the same second (104.317ms)
  AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:

  2 !== 1

      at TestContext.<anonymous> (src/booking/hold.test.ts:97:10)
`,
  },
  warn: {
    contentType: 'text/x-terminal',
    content: `
> harbor@4.12.0 size
> size-limit

  \x1b[33mdist/booking.js is 1 kB below its limit\x1b[39m
  Size limit: 120 kB
  Size:       119 kB brotlied
`,
  },
  review: { content: 'Looks good. The tests fail without the change, and the names match the spec.\n' },
} as const

/** Pseudo-random numbers that are the same every time. */
export interface Chance {
  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number
  pick<T>(list: readonly T[]): T
  /** That many hexadecimal digits. */
  hex(digits: number): string
}

/** The sequence of that seed, by a linear congruential generator (the constants are those of Numerical Recipes). */
export function chanceOf(seed: number): Chance {
  let state = seed
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const between = (least: number, most: number) => least + Math.floor(next() * (most - least + 1))
  return {
    between,
    pick: (list) => list[between(0, list.length - 1)] as (typeof list)[number],
    hex: (digits) => Array.from({ length: digits }, () => between(0, 15).toString(16)).join(''),
  }
}
