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
  serve: {
    summary: 'serve the API over HTTP until SIGTERM or Ctrl-C',
    group: 'place',
    load: async () => (await import('./serve.ts')).serveCommand(),
  },
}
