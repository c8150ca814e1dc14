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
  init: {
    summary: 'enter a project, and let its coding agents record themselves',
    group: 'record',
    load: async () => (await import('../init/init.ts')).initCommand(),
  },
  exec: {
    summary: 'run a command, and record it',
    group: 'record',
    load: async () => (await import('../record/exec.ts')).execCommand(),
  },
  run: {
    summary: 'what agents did: create, list, get, update, link, append',
    group: 'ledger',
    load: async () => {
      const [{ wordCommand }, { execCommand }] = await Promise.all([
        import('../operation/command.ts'),
        import('../record/exec.ts'),
      ])
      return wordCommand('run').addCommand(execCommand())
    },
  },
  spec: fromTable('spec', 'what to build, and every version of it', 'ledger'),
  check: {
    summary: 'whether a run holds',
    group: 'ledger',
    load: async () => {
      const [{ wordCommand }, { checkExecCommand }] = await Promise.all([
        import('../operation/command.ts'),
        import('../record/check-exec.ts'),
      ])
      return wordCommand('check').addCommand(checkExecCommand())
    },
  },
  search: fromTable('search', 'find runs, specs, checks and features by their words', 'ledger'),
  events: fromTable('events', 'every change, in its order; --follow as they happen', 'ledger'),
  status: {
    summary: 'where the ledger is, whose key is used, what runs now',
    group: 'place',
    load: async () => (await import('./status.ts')).statusCommand(),
  },
  serve: {
    summary: 'serve the API over HTTP until SIGTERM or Ctrl-C',
    group: 'place',
    load: async () => (await import('./serve.ts')).serveCommand(),
  },
  open: {
    summary: 'open the page in the browser, logged in',
    group: 'place',
    load: async () => (await import('./open.ts')).openCommand(),
  },
  stats: fromTable('stats', 'what runs came to, day by day', 'more'),
  feature: fromTable('feature', 'the parts of the code base that runs touch', 'more'),
  project: fromTable('project', 'projects', 'more'),
  key: fromTable('key', 'keys: create, list, revoke', 'more'),
  whoami: fromTable('whoami', 'the key that is used', 'more'),
  demo: {
    summary: 'fill a project with a month of a small team, to look around in',
    group: 'more',
    load: async () => (await import('./demo.ts')).demoCommand(),
  },
  profile: {
    summary: 'the servers that this user knows: add, list, use, remove',
    group: 'more',
    load: async () => (await import('../place/profiles.ts')).profileCommand(),
  },
  sync: {
    summary: 'send what was recorded while the server was away',
    group: 'more',
    load: async () => (await import('../record/sync.ts')).syncCommand(),
  },
  doctor: {
    summary: 'look what is wrong with this machine, the database or the server',
    group: 'more',
    load: async () => (await import('./doctor.ts')).doctorCommand(),
  },
  hook: {
    summary: 'note what a coding agent does: for the hooks that init writes',
    group: 'more',
    load: async () => (await import('../record/hook.ts')).hookCommand(),
  },
  mcp: {
    summary: 'speak MCP over stdin and stdout, for an agent',
    group: 'more',
    load: async () => (await import('./mcp.ts')).mcpCommand(),
  },
  completion: {
    summary: 'the completion of words for bash or zsh',
    group: 'more',
    load: async () => (await import('./completion.ts')).completionCommand(commands),
  },
}

/** A word whose commands are those of the table of operations. */
function fromTable(word: string, summary: string, group: Entry['group']): Entry {
  return { summary, group, load: async () => (await import('../operation/command.ts')).wordCommand(word) }
}
