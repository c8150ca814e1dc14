import { dirname } from 'node:path'
import { setsUpTests, setupRemark } from '../../nouns/run/verdict/test-setup.ts'
import type { Env } from '../../place/folders.ts'
import { programRemarks } from '../../place/program.ts'
import { projectFileOf } from '../../place/project.ts'
import type { Memo } from '../../recorder/memo.ts'
import type { Snapshot } from '../../recorder/snapshot.ts'
import { pathsSince } from './moved.ts'

interface Place {
  cwd: string
  env: Env
  /** That of the session, if there is one. */
  memo: Memo | undefined
  /** The working tree after the command; undefined outside git. */
  now: Snapshot | undefined
}

/** What a reader should know who trusts the check of a command, in sentences. */
export function checkRemarks(words: readonly string[], { cwd, env, memo, now }: Place): string[] {
  const changed = pathsSince(memo?.base, now).filter((path) => setsUpTests(path, words))
  const root = now?.root ?? dirname(projectFileOf(cwd) ?? `${cwd}/conduct.json`)
  return [...setupRemark(changed), ...programRemarks({ words, cwd, env, root, since: memo?.startedAt })]
}
