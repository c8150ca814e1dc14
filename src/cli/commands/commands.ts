import type { Command } from 'commander'

/** The headings of `conduct --help`, in order. Commands under `more` are listed by name only. */
export const groups = { record: 'Record', ledger: 'The ledger', place: 'This machine', more: 'More' } as const

export interface CommandEntry {
  summary: string
  /** Default: `more`. */
  group?: keyof typeof groups
  /** Loads the file of this command. */
  load(): Promise<Command>
}

/** Every command by its first word. At most ten are outside `more`. */
export const commands: Record<string, CommandEntry> = {
  init: {
    summary: 'set up a project, so its coding agents record themselves',
    group: 'record',
    load: async () => (await import('../init/init.ts')).initCommand(),
  },
  exec: {
    summary: 'run a command and record it',
    group: 'record',
    load: async () => (await import('../../capture/exec/exec.ts')).execCommand(),
  },
  run: {
    summary: 'what agents did: create, list, get, update, link, append, diff',
    group: 'ledger',
    load: async () => {
      const [{ wordCommand }, { execCommand }, { runDiffCommand }] = await Promise.all([
        import('../operation/command.ts'),
        import('../../capture/exec/exec.ts'),
        import('./run-diff.ts'),
      ])
      return wordCommand('run').addCommand(runDiffCommand()).addCommand(execCommand())
    },
  },
  spec: fromTable('spec', 'what to build, with every version', 'ledger'),
  check: {
    summary: 'checks of runs: create, list, get, update, delete, exec',
    group: 'ledger',
    load: async () => {
      const [{ wordCommand }, { checkExecCommand }] = await Promise.all([
        import('../operation/command.ts'),
        import('../../capture/exec/check-exec.ts'),
      ])
      // The words after `--` belong to the command to run.
      return wordCommand('check').enablePositionalOptions().addCommand(checkExecCommand())
    },
  },
  search: fromTable('search', 'find runs, turns, diffs, specs, checks and features by their words', 'ledger'),
  events: fromTable('events', 'every change in order; with --follow, as they happen', 'ledger'),
  status: {
    summary: 'show the ledger and key in use, and the live runs',
    group: 'place',
    load: async () => (await import('./status.ts')).statusCommand(),
  },
  serve: {
    summary: 'serve the API over HTTP until SIGTERM or Ctrl-C',
    group: 'place',
    load: async () => (await import('./serve.ts')).serveCommand(),
  },
  open: {
    summary: 'open the dashboard in the browser, logged in',
    group: 'place',
    load: async () => (await import('./open.ts')).openCommand(),
  },
  attention: fromTable('attention', 'runs that somebody should look at: list, update'),
  log: fromTable('log', 'prove what the log contains: checkpoint, proof, consistency'),
  verify: {
    summary: 'check that nobody rewrote the log',
    load: async () => (await import('./verify.ts')).verifyCommand(),
  },
  erase: {
    summary: 'erase the texts of a run, a spec, a key or a project, or one text everywhere, for good',
    load: async () => (await import('./erase.ts')).eraseCommand(),
  },
  forget: {
    summary: 'apply the retention of a project now, or see what it would remove',
    load: async () => (await import('./forget.ts')).forgetCommand(),
  },
  stats: fromTable('stats', 'count runs and sum their usage, day by day'),
  suggest: fromTable('suggest', 'list the values of a field of runs'),
  feature: fromTable('feature', 'the parts of the code base that runs touch'),
  project: fromTable('project', 'projects'),
  key: fromTable('key', 'keys: create, list, revoke'),
  watch: {
    summary: 'say when an agent waits for you, fails or is done',
    load: async () => (await import('./watch.ts')).watchCommand(),
  },
  webhook: fromTable('webhook', 'webhooks: create, list, test, update, delete'),
  whoami: fromTable('whoami', 'show the key in use'),
  backup: {
    summary: 'write a verified backup of the ledger, even while a server runs',
    load: async () => (await import('./backup.ts')).backupCommand(),
  },
  restore: {
    summary: 'replace the ledger with a backup',
    load: async () => (await import('./backup.ts')).restoreCommand(),
  },
  demo: {
    summary: 'fill a project with a sample month of a small team',
    load: async () => (await import('./demo.ts')).demoCommand(),
  },
  export: {
    summary: 'write the whole ledger to a file, for any database',
    load: async () => (await import('./export.ts')).exportCommand(),
  },
  import: {
    summary: 'import an export, or past sessions: claude, codex, conduct-v0',
    load: async () => (await import('./import.ts')).importCommand(),
  },
  profile: {
    summary: 'servers and their keys: add, list, use, remove',
    load: async () => (await import('./profiles.ts')).profileCommand(),
  },
  sync: {
    summary: 'send what was recorded while the server was away',
    load: async () => (await import('../../capture/spool/sync.ts')).syncCommand(),
  },
  doctor: {
    summary: 'check this machine, the database and the server',
    load: async () => (await import('./doctor.ts')).doctorCommand(),
  },
  hook: {
    summary: 'record what a coding agent does, for the hooks that init writes',
    load: async () => (await import('../../capture/hook/hook.ts')).hookCommand(),
  },
  mcp: {
    summary: 'serve MCP on stdin and stdout, for an agent',
    load: async () => (await import('./mcp.ts')).mcpCommand(),
  },
  completion: {
    summary: 'print the shell completion for bash or zsh',
    load: async () => (await import('./completion.ts')).completionCommand(commands),
  },
}

/** A word whose commands come from the table of operations. */
function fromTable(word: string, summary: string, group?: CommandEntry['group']): CommandEntry {
  return { summary, group, load: async () => (await import('../operation/command.ts')).wordCommand(word) }
}
