import { globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { conductHere } from './program.ts'
import { localUser, writeFiles } from './user.ts'

/** A home with a project that contains these files. */
export function project(t: TestContext, files: Record<string, string> = {}) {
  const { env, cwd, ledger } = localUser(t)
  writeFiles(cwd, files)
  const read = (path: string) => readFileSync(join(cwd, path), 'utf8')
  const filesNow = () =>
    Object.fromEntries(
      ['**/*', '.*', '.*/**/*', '.*/**/.*']
        .flatMap((pattern) => globSync(pattern, { cwd, exclude: ['.git/**'] }))
        .filter((path) => statSync(join(cwd, path)).isFile())
        .map((path) => [path, read(path)]),
    )
  const init = (...flags: string[]) => conductHere(['init', ...flags], env, cwd)
  return { home: env.HOME, cwd, env, read, filesNow, init, ledger }
}

/** The command in an agent's hook, as `conduct init` writes it. */
export const hookOf = (name: string) =>
  `PATH="\${XDG_DATA_HOME:-$HOME/.local/share}/conduct/bin:$PATH"; command -v conduct-ledger >/dev/null 2>&1 && conduct-ledger hook ${name} || ${name === 'cursor' ? 'true' : 'cat >/dev/null'}`

/** The line for Windows in the hook of an agent that reads one. */
export const windowsHookOf = (name: string) =>
  `powershell -NoProfile -NonInteractive -Command "conduct-ledger.cmd hook ${name}; [Console]::In.ReadToEnd() | Out-Null; exit 0"`
