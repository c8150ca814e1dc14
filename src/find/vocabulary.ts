import type { Tx } from '../engine/db.ts'
import { joiner } from './words.ts'

/** Looking for more words than this takes longer than it saves. */
const mostLooks = 64

/**
 * The tokens of the index that begin with `prefix`: every row that has such a token has one of these. Undefined if there
 * are more than a few, or if the engine finds rows by a prefix as fast as by a word.
 */
export async function tokensFrom(db: Tx, prefix: string): Promise<string[] | undefined> {
  if (!db.dialect.firstWord) return undefined
  const tokens: string[] = []
  let from = prefix
  for (let look = 0; look < mostLooks; look++) {
    const token = await db.dialect.firstWord(db, 'search_words', from)
    if (!token?.startsWith(prefix)) return tokens
    // Where `run-17` is indexed, so is `run`.
    const end = token.search(joiner)
    const isCovered = end >= 0 && tokens.includes(token.slice(0, end))
    if (!isCovered) tokens.push(token)
    from = isCovered ? `${token.slice(0, end + 1)}${afterAll}` : `${token}${beforeAll}`
  }
  return undefined
}

/** Characters that come before, and after, any character of a word. */
const beforeAll = '!'
const afterAll = '\u{10ffff}'
