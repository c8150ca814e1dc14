import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Env, run } from './run.ts'
import { smoke } from './smoke.ts'
import { has } from './tools.ts'

/**
 * Runs the image with a read-only root, without capabilities, as its own user, and records on it. Its volume survives a
 * restart, and SIGTERM ends it.
 */
export async function checkImage(image: string, name: string, scratch: string, path: string[]) {
  const env: Env = { ...process.env, PODMAN_IGNORE_CGROUPSV1_WARNING: '1' }
  const store = ['--root', join(scratch, 'podman'), '--runroot', join(scratch, 'podman-run'), '--storage-driver', 'vfs']
  // crun does not run with the cgroups of every machine.
  const runtime = [
    ...(has('runc') ? ['--runtime', 'runc'] : []),
    '--cgroup-manager',
    'cgroupfs',
    '--events-backend',
    'file',
  ]
  const podman = (...words: string[]) => run(scratch, env, 'podman', ...store, ...runtime, ...words)
  const port = String(38_000 + (process.pid % 1_000))
  const url = `http://127.0.0.1:${port}/conduct`
  await podman('load', '--quiet', '--input', image)
  const bounds = ['--read-only', '--cap-drop', 'all', '--security-opt', 'no-new-privileges', '--network', 'host']
  const place = ['--volume', 'conduct:/data', '--env', 'CONDUCT_HOST=127.0.0.1', '--env', `CONDUCT_PORT=${port}`]
  try {
    await podman('run', '--detach', '--name', 'conduct', ...bounds, ...place, name)
    await untilReady(url)
    const node = (code: string) => podman('exec', 'conduct', 'node', '-p', code).then((said) => said.trim())
    assert.notEqual(await node('process.getuid()'), '0')
    assert.match(await node(`try { fs.writeFileSync('/opt/conduct/x', '') } catch (error) { error.code }`), /EROFS/)
    const key = await node(`fs.readFileSync('/data/conduct.db.admin-key', 'utf8').trim()`)
    await smoke({ path, server: { url, key } })
    await podman('healthcheck', 'run', 'conduct')
    await stops(podman)
    await podman('start', 'conduct')
    await untilReady(url)
    const response = await fetch(`${url}/v1/runs`, {
      headers: { Authorization: `Bearer ${key}`, 'X-Project-ID': 'shop' },
    })
    assert.match(await response.text(), /Add a cart/, 'the volume lost the run')
    await stops(podman)
  } finally {
    await podman('rm', '--force', '--volumes', 'conduct').catch(() => {})
    await podman('volume', 'rm', '--force', 'conduct').catch(() => {})
    await podman('rmi', '--force', name).catch(() => {})
  }
}

async function stops(podman: (...words: string[]) => Promise<string>) {
  const began = performance.now()
  await podman('stop', '--time', '15', 'conduct')
  assert.ok(performance.now() - began < 12_000, 'SIGTERM did not end it in time')
  assert.equal((await podman('inspect', 'conduct', '--format', '{{.State.ExitCode}}')).trim(), '0')
}

async function untilReady(url: string) {
  for (let tries = 0; tries < 100; tries++) {
    const isReady = await fetch(new URL('/readyz', url)).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isReady) return
    await sleep(200)
  }
  throw new Error(`no server at ${url} after 20 seconds`)
}
