/** The team of the demo, which builds a page on which boats are hired: who works there, on what, and with which words. */

/** Whoever has a key; agents name the machine and the model that they work with, and what a million tokens of it cost (USD). */
export const agents = {
  'claude-code': { host: 'ada-laptop', cwd: '/home/ada/harbor', model: 'claude-sonnet', input: 3, output: 15 },
  codex: { host: 'mateo-desktop', cwd: '/home/mateo/src/harbor', model: 'gpt-codex', input: 1.25, output: 10 },
  cursor: { host: 'yuki-laptop', cwd: '/Users/yuki/harbor', model: 'composer', input: 1.5, output: 7.5 },
} as const
export type Agent = keyof typeof agents

export const people = ['ada', 'mateo', 'yuki'] as const
export type Member = Agent | (typeof people)[number] | 'ci'

export const repository = 'https://git.example.com/harbor/harbor'
export const jobs = 'https://ci.example.com/harbor/jobs'

export interface Part {
  name: string
  file: string
  description: string
  files: readonly string[]
}

/** The parts of the code base, by the beginning of the ids of the specs that are about them. */
export const parts: Record<string, Part> = {
  BOOK: {
    name: 'booking',
    file: 'src/booking/',
    description: 'From a free boat to a paid one',
    files: ['hold.ts', 'price.ts', 'booking-page.tsx'],
  },
  CAL: {
    name: 'calendar',
    file: 'src/calendar/',
    description: 'Which boat is free when',
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
    description: 'Passkeys, links by mail, sessions',
    files: ['passkey.ts', 'session.ts', 'login-page.tsx'],
  },
  FIND: {
    name: 'search',
    file: 'src/search/',
    description: 'Boats by place, size and day',
    files: ['query.ts', 'index.ts', 'results.tsx'],
  },
  MAIL: {
    name: 'mail',
    file: 'src/mail/',
    description: 'What guests and owners are told',
    files: ['templates.ts', 'queue.ts', 'unsubscribe.ts'],
  },
  OPS: {
    name: 'operations',
    file: 'deploy/',
    description: 'Builds, backups, alarms',
    files: ['backup.sh', 'alarms.yaml', 'pipeline.yaml'],
  },
}

export interface SpecPlan {
  specId: string
  title: string
  why: string
  /** Its checklist; each item is the title of a run. */
  tasks: readonly string[]
}

const spec = (specId: string, title: string, why: string, ...tasks: string[]): SpecPlan => ({
  specId,
  title,
  why,
  tasks,
})

/** In the order in which they are begun. */
export const specs: SpecPlan[] = [
  spec(
    'AUTH-001',
    'Log in with a passkey',
    'A third of the calls for help are about passwords.',
    'Store passkeys beside the password hash',
    'Register a passkey from the account page',
    'Log in with a passkey',
    'Offer a link by mail where there is no passkey',
    'End all sessions when a passkey is removed',
    'Count failed logins per address',
  ),
  spec(
    'CAL-001',
    'Show the season at a glance',
    'Owners plan by months, and see a week.',
    'Read the free days of a boat in one query',
    'Draw a month with free and taken days',
    'Mark days on which the harbour is closed',
    'Move between months with the arrow keys',
    'Fix the month view in the week of the clock change',
    'Cache free days until a booking touches them',
  ),
  spec(
    'PAY-001',
    'Take a deposit with the booking',
    'One guest in nine does not come.',
    'Add the deposit to the price of a boat',
    'Charge the deposit when a booking is confirmed',
    'Show the deposit in the summary',
    'Give the deposit back after the return',
    'Retry a charge once when the bank is slow',
    'Verify the signature of payment webhooks',
  ),
  spec(
    'FIND-001',
    'Find a boat by place and day',
    'The list has outgrown scrolling.',
    'Index boats by harbour and size',
    'Search by place with typing errors',
    'Leave out boats that are taken on the day',
    'Sort results by distance',
    'Keep the filters in the address',
    'Answer searches within 100 ms at 10,000 boats',
  ),
  spec(
    'OPS-001',
    'Deploy without a pause',
    'A deploy in August cost forty bookings.',
    'Drain connections before a restart',
    'Run migrations before the new version starts',
    'Roll back when the health check fails',
    'Build the image in one stage less',
    'Tell the channel of each deploy',
    'Keep the last three images',
  ),
  spec(
    'BOOK-001',
    'Hold a boat while the guest pays',
    'Two guests paid for the same boat, twice this spring.',
    'Hold a boat for ten minutes',
    'Free held boats that were not paid',
    'Show how long a boat is held',
    'Refuse a second hold of the same boat',
    'Test two guests who book in the same second',
    'Extend a hold while the bank asks the guest',
  ),
  spec(
    'MAIL-001',
    'Remind guests the day before',
    'Guests forget the hour, and call.',
    'Queue a reminder with each booking',
    'Write the reminder in three languages',
    'Send reminders at six in the evening of the harbour',
    'Take a reminder back with the booking',
    'Unsubscribe with one click',
    'Try again when the mail server is away',
  ),
  spec(
    'PAY-002',
    'Refund by rule, not by hand',
    'Refunds take Yuki a morning each week.',
    'Write the refund rules as a table',
    'Refund by the rule when a guest cancels',
    'Let an owner refund more than the rule',
    'Show the refund before the guest cancels',
    'List refunds of a month for the books',
    'Round refunds to whole cents',
  ),
  spec(
    'CAL-002',
    'Sync with the calendars of owners',
    'Owners keep two calendars, and mix them up.',
    'Publish the bookings of a boat as iCalendar',
    'Read an iCalendar address every hour',
    'Block days that the other calendar has taken',
    'Warn of a day that is booked twice',
    'Give each calendar address a secret',
    'Read recurring events',
  ),
  spec(
    'BOOK-002',
    'Change a booking without a call',
    'Half of the calls move a day.',
    'Move a booking to another day',
    'Charge or refund the difference',
    'Tell the owner of the change',
    'Refuse changes in the last day',
    'Keep the history of a booking',
    'Undo a change within an hour',
  ),
  spec(
    'FIND-002',
    'Show boats on a map',
    'Guests look for the harbour first.',
    'Draw harbours from our own tiles',
    'Group boats that are close together',
    'Search again when the map is moved',
    'Open a boat from the map with the keyboard',
    'Load the map only when it is asked for',
    'Say in words what the map shows',
  ),
  spec(
    'AUTH-002',
    'Let owners add helpers',
    'Owners share their password with helpers.',
    'Invite a helper by mail',
    'Let helpers see bookings, not payments',
    'Take the rights of a helper back at once',
    'List who changed what',
    'End an invitation after a week',
    'Test every page as a helper',
  ),
  spec(
    'OPS-002',
    'Restore a backup every night',
    'A backup that nobody has restored is a hope.',
    'Restore the newest backup into an empty database',
    'Compare counts with the live database',
    'Raise an alarm when a restore fails',
    'Encrypt backups before they leave the machine',
    'Write down how to restore by hand',
    'Measure how long a restore takes',
  ),
  spec(
    'MAIL-002',
    'Write mails that read well on a phone',
    'Two in three mails are read on a phone.',
    'Draw mails in one column',
    'Add a plain text part to each mail',
    'Show pictures only where they say something',
    'Preview all mails on one page',
    'Check links in mails before they are sent',
    'Shorten subjects to forty letters',
  ),
  spec(
    'BOOK-003',
    'Book for a group',
    'Clubs book nine boats by mail.',
    'Choose several boats at once',
    'Hold all boats of a group or none',
    'Split the price between members',
    'Give a group one summary',
    'Cancel one boat of a group',
    'Invite members by a link',
  ),
  spec(
    'PAY-003',
    'Pay by bank transfer',
    'Clubs have no cards.',
    'Make an invoice with a reference',
    'Match transfers by their reference',
    'Remind of unpaid invoices',
    'Free boats of invoices that lapse',
    'Export invoices for the books',
    'Number invoices without gaps',
  ),
  spec(
    'CAL-003',
    'Plan maintenance days',
    'Boats are booked while they are on land.',
    'Block a boat for maintenance',
    'Move bookings off a blocked day',
    'Repeat maintenance every so many hours of use',
    'Show maintenance in the month view',
    'Tell the yard what comes in',
    'Count hours of use from bookings',
  ),
]

/** Specs on which nobody works: `draft` and `archived`. */
export const otherSpecs = [
  {
    status: 'draft',
    ...spec(
      'FIND-003',
      'Suggest the next trip',
      'Guests who come twice stay.',
      'Find what guests booked next',
      'Suggest at most three boats',
    ),
  },
  {
    status: 'draft',
    ...spec(
      'MAIL-003',
      'Ask how it was',
      'We hear only of what went wrong.',
      'Ask two days after the return',
      'Show answers to the owner',
    ),
  },
  {
    status: 'archived',
    ...spec(
      'BOOK-004',
      'Book by voice',
      'Tried in spring; nobody used it.',
      'Understand days and places',
      'Read the price aloud',
    ),
  },
] as const

/** What agents wrote while they worked; `{file}` is one of the files that they changed. */
export const steps = [
  'Read `{file}` and its tests',
  'Looked for other callers of `{file}`: there are three',
  'Wrote a test that fails',
  'Changed `{file}`; the test passes',
  'The types disagree in `{file}`; narrowed the argument',
  'Ran the tests of the folder: all pass',
  'Moved what two files shared into `{file}`',
  'Asked the schema what may be null, and handled it',
  'Checked the page at 360 px',
  'Took out code that nothing calls any more',
  'Read the diff once more from the top',
]

export const failures = [
  {
    code: 'TESTS_FAILED',
    message: 'Two tests still fail after three tries: the price of a held boat is read too early.',
  },
  { code: 'CONTEXT_LIMIT', message: 'The context ran full while it read the generated client.' },
  { code: 'MERGE_CONFLICT', message: 'main changed the same lines meanwhile; the rebase was given up.' },
  { code: 'QUOTA_EXCEEDED', message: 'The provider refused further requests until the next hour.' },
]

export const complaints = {
  fail: 'A test fails:\n\n```\nnot ok 214 - two guests who book in the same second\n  expected: 1 booking\n  actual:   2 bookings\n```\n',
  warn: 'It passes, with a warning: the bundle grew by 9 kB, and the limit is 10.\n',
  review: 'Read line by line. The names fit, the tests would fail without the change.\n',
}
