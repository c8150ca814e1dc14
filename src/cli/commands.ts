import type { Command } from 'commander'

/** The headings of `conduct --help`, in their order; the commands of `more` are only named there. */
export const groups = { record: 'Record', ledger: 'The ledger', place: 'This machine', more: 'More' } as const

export interface Entry {
  summary: string
  group: keyof typeof groups
  /** Loads the file of this command alone. */
  load(): Promise<Command>
}

/** Every command by its first word. At most ten stand outside of `more`. */
export const commands: Record<string, Entry> = {
  run: fromTable('run', 'what agents did: create, read, change, link, append, follow', 'ledger'),
  spec: fromTable('spec', 'what to build, and every version of it', 'ledger'),
  check: fromTable('check', 'whether a run holds', 'ledger'),
  search: fromTable('search', 'find runs, specs, checks and features by their words', 'ledger'),
  events: fromTable('events', 'every change, in its order; --follow as they happen', 'ledger'),
  serve: {
    summary: 'serve the API over HTTP until SIGTERM or Ctrl-C',
    group: 'place',
    load: async () => (await import('./serve.ts')).serveCommand(),
  },
  feature: fromTable('feature', 'the parts of the code base that runs touch', 'more'),
  project: fromTable('project', 'projects', 'more'),
  key: fromTable('key', 'keys: create, list, revoke', 'more'),
  whoami: fromTable('whoami', 'the key that is used', 'more'),
}

/** A word whose commands are those of the table of operations. */
function fromTable(word: string, summary: string, group: Entry['group']): Entry {
  return { summary, group, load: async () => (await import('./command.ts')).wordCommand(word) }
}
