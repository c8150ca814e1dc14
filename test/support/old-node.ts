import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * How to run a script as an old Node.js would: with one installed here, else with this one under an old version number.
 */
export function oldNode(script: string): [command: string, ...args: string[]] {
  const onPath = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'node'))
  const old = onPath.find((path) => existsSync(path) && isOld(execFileSync(path, ['--version'], { encoding: 'utf8' })))
  if (old !== undefined) return [old, script]
  const pretend = "Object.defineProperty(process.versions, 'node', { value: '20.0.0' })"
  const run = `process.argv.splice(1, 0, ${JSON.stringify(script)}); require(process.argv[1])`
  return [process.execPath, '-e', `${pretend}; ${run}`, '--']
}

function isOld(version: string): boolean {
  const [major = 0, minor = 0] = version.trim().slice(1).split('.').map(Number)
  return major < 24 || (major === 24 && minor < 15)
}
