import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { socketOf } from '../../src/capture/hook/resident.ts'
import { bin } from '../support/program.ts'
import type { ProgramEnv } from './program.ts'
import type { Document } from './session.ts'
import { workplace } from './session.ts'

/** A user whose hooks run by the launcher, as agents run them. */
export function launchedUser(t: TestContext, more: ProgramEnv = {}) {
  const user = workplace(t, more)
  const { env, folder, cwd } = user
  const starts = join(folder, 'starts')
  const counter = join(folder, 'counter.cjs')
  const counts = `if (process.argv[2] === 'hook') require('node:fs').appendFileSync('${starts}', 'one\\n')`
  writeFileSync(counter, counts)
  const counted = { ...env, NODE_OPTIONS: `--require ${counter}` }
  const input = JSON.stringify({ session_id: 'none', cwd: '/', hook_event_name: 'Notification' })
  spawnSync(process.execPath, [bin, 'hook', 'claude'], { env, input })
  const launcher = join(folder, '.local/share/conduct/bin/conduct-ledger')
  return {
    ...user,
    /** How often the launcher has started Node.js. */
    starts: () => (existsSync(starts) ? readFileSync(starts, 'utf8').trim().split('\n').length : 0),
    /** Gives a document to a hook of an agent. */
    async tell(document: Document, agent = 'claude', own: ProgramEnv = {}) {
      const child = spawn(launcher, ['hook', agent], {
        env: { ...counted, ...own },
        cwd,
        stdio: ['pipe', 'pipe', 'pipe'],
      })
      let said = ''
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => (said += piece))
      child.stdin.end(JSON.stringify(document))
      const [code] = await once(child, 'close')
      if (code !== 0 || said !== '') throw new Error(`the hook ended with ${code}: ${said}`)
    },
    /** Waits until a recorder listens. */
    async listening() {
      for (let tries = 0; !(await answers(socketOf(env))); tries++) {
        if (tries === 1_000) throw new Error('no recorder listens')
        await sleep(20)
      }
    },
  }
}

/** The processes of a user whose command line ends with these words. */
export function processesOf(home: string | undefined, words: string): number[] {
  const { stdout } = spawnSync('ps', ['axeww', '-o', 'pid=,command='], { encoding: 'utf8' })
  const ours = stdout.split('\n').filter((line) => line.includes(`HOME=${home} `) && line.includes(words))
  return ours.map((line) => Number.parseInt(line, 10))
}

/** Whether a process listens on a socket. */
const answers = (path: string) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(path, () => {
      socket.destroy()
      resolve(true)
    }).on('error', () => resolve(false))
  })
