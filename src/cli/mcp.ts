import { randomUUID } from 'node:crypto'
import { Command } from 'commander'
import { connect, type PlaceOptions, placeOf } from './place/connect.ts'

/** `conduct mcp`: the tools for a client that starts this process and talks to it on stdin and stdout. */
export function mcpCommand(): Command {
  return new Command('mcp')
    .description('serve MCP on stdin and stdout, for a client that starts this command')
    .option('--profile <name>', 'the server to use, as it was logged in to')
    .option('--in-project <slug>', 'the project to act in')
    .action(run)
}

async function run(options: PlaceOptions) {
  try {
    // What is not protocol must not come between.
    console.log = console.error
    await serve(options)
    process.exit(0)
  } catch (error) {
    process.stderr.write(`conduct mcp: ${(error as Error).message}\n`)
    process.exit(1)
  }
}

async function serve(options: PlaceOptions) {
  const { env } = process
  const cwd = process.cwd()
  const place = placeOf(options, env, cwd)
  // Loaded only now: the other commands do without.
  const [{ serveMcp }, { beatMs, localHold }, { openState }, { client, close }] = await Promise.all([
    import('../mcp/stdio.ts'),
    import('./mcp-hold.ts'),
    import('./record/state.ts'),
    connect(place, env),
  ])
  const state = openState(env)
  const hold = localHold({ client, state, place, cwd, env })
  const warn = (error: unknown) => process.stderr.write(`conduct mcp: ${(error as Error).stack}\n`)
  const server = serveMcp({ client, hold, session: randomUUID(), warn })
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void server.close())
  const beats = setInterval(() => void hold.beat().catch(warn), beatMs)
  await server.closed
  clearInterval(beats)
  await hold.end()
  state.close()
  await close()
}
