import { Command, Option } from 'commander'
import { createClient } from '../client/client.ts'
import type { createApp, Store } from '../http/serve.ts'
import { localActor } from '../key.ts'
import { readSettings, type Settings, settings, withoutPassword } from '../setting.ts'
import { linkOf } from './link.ts'

/** `conduct serve`, with a flag for each setting that is not a secret. */
export function serveCommand(): Command {
  const command = new Command('serve').description('serve the API over HTTP until SIGTERM or Ctrl-C')
  for (const { env, flag, fallback, meaning } of Object.values(settings)) {
    if (flag) command.addOption(new Option(`${flag} <value>`, `${meaning} (${env}; default ${fallback || 'none'})`))
  }
  const secrets = Object.values(settings).filter(({ flag }) => !flag)
  command.addHelpText(
    'after',
    `\nBy environment only:\n${secrets.map(({ env, meaning }) => `  ${env}  ${meaning}`).join('\n')}`,
  )
  return command.action((flags: Record<string, string>) => run(flags))
}

async function run(flags: Record<string, string>) {
  try {
    const chosen = readSettings(flags, process.env)
    // Loaded only now: `conduct --version` needs none of it.
    const [{ createApp, openStore, serve }, { default: pino }] = await Promise.all([
      import('../http/serve.ts'),
      import('pino'),
    ])
    const log = pino({ level: chosen.logLevel }, pino.destination({ dest: 2, sync: true }))
    const warn = (error: Error) => log.warn({ err: error }, 'background work failed')
    const store = await openStore(chosen.databaseUrl, { adminKey: chosen.adminKey, warn })
    const running = await serve({ ...chosen, store, log }).catch(async (error) => {
      await store.close()
      throw error
    })
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => running.stop().then(() => process.exit(0)))
    }
    // A database that takes no writes just now is served all the same.
    const code = await newLoginCode(createApp({ store, actor: localActor })).catch((error) => {
      warn(error)
      return undefined
    })
    process.stdout.write(`${banner(running.url, chosen, store, code)}\n`)
  } catch (error) {
    process.stderr.write(`conduct serve: ${reason(error as NodeJS.ErrnoException, flags)}\n`)
    process.exitCode = 1
  }
}

/** A code with which a browser logs in as the user of this machine. */
async function newLoginCode(app: ReturnType<typeof createApp>): Promise<string> {
  const fetch = (request: Request) => app.fetch(request)
  const client = createClient({ url: 'http://localhost/conduct', fetch, attempts: 1 })
  return (await client.createLoginCode()).code
}

function banner(
  url: string,
  { databaseUrl }: Settings,
  store: Pick<Store, 'newSecret' | 'ignoredAdminKey'>,
  code: string | undefined,
): string {
  const lines = [`Conduct listens on ${url}`, `Database: ${withoutPassword(databaseUrl)}`, `API: ${url}/docs`]
  if (code !== undefined)
    lines.push(
      `Page: ${linkOf(url, code)}`,
      '      (logs in once, within ten minutes; conduct open makes another link)',
    )
  if (store.ignoredAdminKey) {
    lines.push('CONDUCT_ADMIN_KEY is not used: the database has keys, and this is none of them.')
  }
  if (store.newSecret) {
    lines.push(
      '',
      'The first key, with all permissions. It is shown this once:',
      '',
      `  export CONDUCT_API_KEY=${store.newSecret}`,
      '',
      'A first run:',
      '',
      `  curl -X POST -H "Authorization: Bearer ${store.newSecret}" -H "Content-Type: application/json" -d '{"content": "# Hello ledger", "status": "completed"}' ${url}/v1/runs`,
    )
  }
  return lines.join('\n')
}

function reason({ code, message, ...error }: NodeJS.ErrnoException, flags: Record<string, string>): string {
  const port = flags.port ?? process.env.CONDUCT_PORT ?? settings.port.fallback
  if (code === 'EADDRINUSE') return `port ${port} is taken: choose another with --port or CONDUCT_PORT.`
  if (code === 'EACCES') return `may not listen on port ${port}: choose one above 1023 with --port or CONDUCT_PORT.`
  const cause = (error as { cause?: Error }).cause
  return cause ? `${message} (${cause.message})` : message
}
