import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load, requestOf } from './load.ts'
import { atMost, median, type Row } from './report.ts'
import { adminKey, bin, root, startConduct, type Workplace } from './servers.ts'
import { seedOf } from './work.ts'

const times = 7

/** The cost of installing and starting Conduct. */
export async function measureSize(place: Workplace): Promise<Row[]> {
  const version = await timed(async () => execFileSync(process.execPath, [bin, '--version']))
  const start = await startMs(place)
  return [
    atMost('start to first answer on an existing file', start, 'ms', { bar: 300, hope: 200 }),
    atMost('`conduct --version`', version, 'ms', { bar: 60, hope: 40 }),
    ...installRows(place.folder()),
  ]
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const taken: number[] = []
  for (let n = 0; n < times; n++) {
    const started = performance.now()
    await work()
    taken.push(performance.now() - started)
  }
  return median(taken)
}

/** From the start of the process to a response that shows a run. */
async function startMs(place: Workplace): Promise<number> {
  const url = `sqlite:${join(place.folder(), 'conduct.db')}`
  const first = await startConduct(url)
  await load(first.url, seedOf(first), { requests: 1000 })
  await first.stop()
  const taken: number[] = []
  for (let n = 0; n < times; n++) {
    const started = performance.now()
    const server = await startConduct(url)
    const get = requestOf(server.url, 'GET', '/v1/runs/RUN-001', { authorization: `Bearer ${adminKey}` })
    await load(server.url, () => get, { connections: 1, requests: 1 })
    taken.push(performance.now() - started)
    await server.stop()
  }
  return median(taken)
}

/** Packs the package and installs it for production in an empty folder. */
function installRows(folder: string): Row[] {
  const npm = (...args: string[]) =>
    execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  const [packed] = JSON.parse(npm('pack', '--json', '--ignore-scripts', '--pack-destination', folder))
  npm('install', '--prefix', folder, '--omit=dev', '--ignore-scripts', join(folder, packed.filename))
  const modules = join(folder, 'node_modules')
  const megabytes = Number(execFileSync('du', ['-sk', modules], { encoding: 'utf8' }).split('\t')[0]) / 1024
  const { packages } = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8'))
  const installed = Object.entries<{ hasInstallScript?: boolean }>(packages)
  const scripted = installed.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path)
  return [
    atMost(`install of the packed tarball (${installed.length} packages)`, megabytes, 'MB', { bar: 35, hope: 25 }),
    {
      title: 'packages with an install script',
      measured: scripted.join(', ') || 'none',
      bar: 'none',
      pass: scripted.length === 0,
    },
  ]
}
