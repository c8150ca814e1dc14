import { statSync } from 'node:fs'
import { isCancel, password } from '@clack/prompts'
import { secretPattern } from '../contract/secret.ts'
import { UsageError } from '../terminal/exit.ts'
import { readText } from '../terminal/file.ts'
import { asked } from '../terminal/interactive.ts'
import type { Env } from './folders.ts'

export interface KeySource {
  keyStdin?: boolean
  keyFile?: string
}

/**
 * Reads the key of a server in ways that other users of this machine cannot watch: from standard input, a file that
 * only its owner can read, CONDUCT_API_KEY, or a hidden prompt. Throws a UsageError that says what is wrong.
 */
export async function askKey({ keyStdin, keyFile }: KeySource, env: Env): Promise<string> {
  const key = (await given(keyStdin, keyFile, env)).trim()
  if (secretPattern.test(key)) return key
  throw new UsageError(
    key === ''
      ? 'No key was given.'
      : 'That is not a key. A key is sk_agent_ (or another role) and 43 letters and digits; conduct key create creates one.',
  )
}

async function given(keyStdin: boolean | undefined, keyFile: string | undefined, env: Env): Promise<string> {
  if (keyStdin) return readText('-')
  if (keyFile !== undefined) return readPrivate(keyFile)
  if (env.CONDUCT_API_KEY) return env.CONDUCT_API_KEY
  if (!process.stdin.isTTY) {
    throw new UsageError(
      'A key is needed: set CONDUCT_API_KEY, pass --key-stdin or --key-file, or run this on a terminal, where you can type it.',
    )
  }
  const answer = await asked((signal) => password({ message: 'The key (sk_…)', output: process.stderr, signal }))
  if (isCancel(answer)) throw new UsageError('No key was given.')
  // An empty line leaves `answer` undefined.
  return answer ?? ''
}

async function readPrivate(path: string): Promise<string> {
  const text = await readText(path)
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) {
    throw new UsageError(
      `Other users can read ${path}: run chmod 600 ${path}, and revoke the key if anybody may have read it.`,
    )
  }
  return text
}
