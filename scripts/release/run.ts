import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)

export type Env = Record<string, string | undefined>

/** Runs a program and returns its standard output. Throws an Error with what it said. */
export async function run(cwd: string, env: Env, program: string, ...words: string[]): Promise<string> {
  const options = { cwd, env, maxBuffer: 1 << 28, timeout: 900_000 }
  const { stdout } = await execute(program, words, options).catch(
    (error: Error & { stdout?: string; stderr?: string }) => {
      const said = `${error.stdout ?? ''}${error.stderr ?? ''}`.trim() || error.message
      throw new Error(`${[program, ...words].join(' ')}: ${said.split('\n').slice(-15).join('\n')}`)
    },
  )
  return stdout
}

/** Words of npm that ask and tell nothing. */
export const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline']
