#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { Command } from 'commander'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

const program = new Command('conduct')
  .description('The ledger of what coding agents did.')
  .version(version)
  .configureHelp({ showGlobalOptions: true })
  .showSuggestionAfterError()
  .showHelpAfterError('(conduct --help tells more)')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))

const { serveCommand } = await import('./serve.ts')
program.addCommand(serveCommand())
await program.parseAsync()
