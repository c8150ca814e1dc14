import { Command, Option } from 'commander'
import { createClient } from '../../client/client.ts'
import type { createApp, Store } from '../../http/serve.ts'
import { localActor } from '../../ledger/actor.ts'
import { readSettings, type Settings, settings, withoutPassword } from '../../setting.ts'
import { UsageError } from '../exit.ts'
import { linkOf } from '../link.ts'
import { addExamples } from '../option.ts'
import { notOpened } from '../place/connect.ts'

/** `conduct serve`, with a flag for each setting that is not a secret. */
export function serveCommand(): Command {
  const command = new Command('serve')
  for (const { env, flag, fallback, meaning } of Object.values(settings)) {
    if (flag) command.addOption(new Option(`${flag} <value>`, `${meaning} (${env}; default ${fallback || 'none'})`))
  }
  const secrets = Object.values(settings).filter(({ flag }) => !flag)
  command.addHelpText(
    'after',
    `\nBy environment only:\n${secrets.map(({ env, meaning }) => `  ${env}  ${meaning}`).join('\n')}`,
  )
  addExamples(command, ['conduct serve', 'conduct serve --host 0.0.0.0 --port 8080'], 'console')
  return command.action((flags: Record<string, string>) => run(flags))
}

async function run(flags: Record<string, string>) {
  const chosen = settingsOf(flags)
  // Loaded only now: `conduct --version` needs none of it.
  const [{ createApp, openStore, serve }, { default: pino }] = await Promise.all([
    import('../../http/serve.ts'),
    import('pino'),
  ])
  const log = pino({ level: chosen.logLevel }, pino.destination({ dest: 2, sync: true }))
  const warn = (error: Error) => log.warn({ err: error }, 'background work failed')
  const { databaseUrl, adminKey, port } = chosen
  const onProgress = (line: string) => process.stderr.write(`${line}\n`)
  const store = await openStore(databaseUrl, { adminKey, warn, onProgress }).catch(notOpened(databaseUrl))
  const running = await serve({ ...chosen, store, log }).catch(async (error) => {
    await store.close()
    throw new Error(reason(error, port), { cause: error })
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
}

function settingsOf(flags: Record<string, string>): Settings {
  try {
    return readSettings(flags, process.env)
  } catch (error) {
    throw new UsageError((error as Error).message)
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

/** Why it cannot listen. */
function reason({ code, message }: NodeJS.ErrnoException, port: number): string {
  if (code === 'EADDRINUSE') return `port ${port} is taken: choose another with --port or CONDUCT_PORT.`
  if (code === 'EACCES') return `may not listen on port ${port}: choose one above 1023 with --port or CONDUCT_PORT.`
  return message
}
