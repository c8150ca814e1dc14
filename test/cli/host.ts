import { Readable } from 'node:stream'
import { runProgram } from '../../src/cli/program.ts'
import type { Asked, Ran } from './program.ts'

// Runs one command after another as the program does, in a process that has loaded the program. program.ts starts it.

process.on('message', async (asked: Asked) => process.send?.(await run(asked)))

async function run({ words, env, cwd, input }: Asked): Promise<Ran> {
  for (const name of Object.keys(process.env)) delete process.env[name]
  Object.assign(process.env, env)
  process.chdir(cwd)
  process.exitCode = undefined
  // `exec` passes signals on until its process ends.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) process.removeAllListeners(signal)
  Object.defineProperty(process, 'stdin', { value: Readable.from([Buffer.from(input)]), configurable: true })
  const told = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    process[stream].removeAllListeners('error')
    process[stream].write = (text: string | Uint8Array) => {
      told[stream] += typeof text === 'string' ? text : Buffer.from(text).toString()
      return true
    }
  }
  await runProgram(words)
  return { code: Number(process.exitCode ?? 0), ...told }
}
