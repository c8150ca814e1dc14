import { randomUUID } from 'node:crypto'
import { Command } from 'commander'
import { connect, type PlaceOptions, placeOf } from '../../place/connect.ts'
import { endSignals } from '../../system/signals.ts'
import { addExamples, addPlace } from '../../terminal/option.ts'
import { clean } from '../../text/clean.ts'
import { fail } from '../fail.ts'

/** `conduct mcp`: serves the tools to a client that starts this process and talks to it on stdin and stdout. */
export function mcpCommand(): Command {
  const command = new Command('mcp')
    .description('Serve MCP on stdin and stdout, for a client that starts this command')
    .action(run)
  addPlace(command)
  return addExamples(command, ['claude mcp add conduct -- conduct mcp', 'conduct mcp --project shop'], 'console')
}

async function run(options: PlaceOptions) {
  try {
    // Stdout is for the protocol only.
    console.log = console.error
    await serve(options)
    process.exit(0)
  } catch (error) {
    fail(error)
    process.exit()
  }
}

async function serve(options: PlaceOptions) {
  const { env } = process
  const cwd = process.cwd()
  const place = placeOf(options, env, cwd)
  // Loaded here, because other commands do without.
  const [{ serveMcp }, { beatMs, localHold }, { stateOrMemory }, { maskDeep: mask }, { client, close }] =
    await Promise.all([
      import('../../mcp/stdio.ts'),
      import('./mcp-hold.ts'),
      import('../../capture/spool/state-file.ts'),
      import('../../mask/mask.ts'),
      connect(place, env, { createsProject: true }),
    ])
  const say = (words: string) => process.stderr.write(`conduct mcp: ${clean(words)}\n`)
  const state = stateOrMemory(env, say)
  const hold = localHold({ client, state, place, cwd, env })
  const warn = (error: unknown) => say((error as Error).stack ?? String(error))
  const server = serveMcp({ client, hold, session: randomUUID(), mask, warn })
  for (const signal of endSignals) process.on(signal, () => void server.close())
  const beats = setInterval(() => void hold.beat().catch(warn), beatMs)
  await server.closed
  clearInterval(beats)
  await hold.end()
  state.close()
  await close()
}
