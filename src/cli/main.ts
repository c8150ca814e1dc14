#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { checkExecCommand } from './check-exec.ts'
import { execCommand } from './exec.ts'
import { serveCommand } from './serve.ts'
import { syncCommand } from './sync.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

const program = new Command('conduct')
  .description('The ledger of what coding agents did.')
  .version(version)
  .showSuggestionAfterError()
  .showHelpAfterError('(conduct --help tells more)')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))

program.addCommand(serveCommand().copyInheritedSettings(program))
program.addCommand(syncCommand().copyInheritedSettings(program))
program.addCommand(execCommand().copyInheritedSettings(program))
program.addCommand(new Command('check').addCommand(checkExecCommand().copyInheritedSettings(program)))
void program.parseAsync()
