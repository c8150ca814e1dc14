import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { socketOf } from '../../src/cli/record/resident.ts'
import { bin } from '../support/program.ts'
import type { ProgramEnv } from './program.ts'
import type { Document } from './session.ts'
import { workplace } from './session.ts'

/** A user whose hooks run by the launcher, as agents run them. */
export function launchedUser(t: TestContext, more: ProgramEnv = {}) {
  const user = workplace(t, more)
  const { env, folder, cwd } = user
  // Without its socket, a recorder ends.
  t.after(() => rmSync(socketOf(env), { force: true }))
  const input = JSON.stringify({ session_id: 'none', cwd: '/', hook_event_name: 'Notification' })
  spawnSync(process.execPath, [bin, 'hook', 'claude'], { env, input })
  const launcher = join(folder, '.local/share/conduct/bin/conduct-ledger')
  const starts = join(folder, 'starts')
  const node = join(folder, 'node')
  writeFileSync(node, `#!/bin/sh\necho "$*" >>'${starts}'\nexec '${process.execPath}' "$@"\n`)
  chmodSync(node, 0o755)
  writeFileSync(launcher, readFileSync(launcher, 'utf8').replace(/^node=.*$/m, `node='${node}'`))
  return {
    ...user,
    launcher,
    /** How often the launcher has started Node.js. */
    starts: () => (existsSync(starts) ? readFileSync(starts, 'utf8').trim().split('\n').length : 0),
    /** Gives a document to a hook of Claude Code. */
    async tell(document: Document, env = user.env) {
      const child = spawn(launcher, ['hook', 'claude'], { env, cwd, stdio: ['pipe', 'pipe', 'pipe'] })
      let said = ''
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => (said += piece))
      child.stdin.end(JSON.stringify(document))
      const [code] = await once(child, 'close')
      if (code !== 0 || said !== '') throw new Error(`the hook ended with ${code}: ${said}`)
    },
    /** Waits until a recorder listens. */
    async listening() {
      while (!existsSync(socketOf(env))) await sleep(20)
    },
  }
}

/** The processes of a user whose command line ends with these words. */
export function processesOf(home: string | undefined, words: string): number[] {
  const { stdout } = spawnSync('ps', ['axeww', '-o', 'pid=,command='], { encoding: 'utf8' })
  const ours = stdout.split('\n').filter((line) => line.includes(`HOME=${home} `) && line.includes(words))
  return ours.map((line) => Number.parseInt(line, 10))
}
