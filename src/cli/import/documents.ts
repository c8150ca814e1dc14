import { readdirSync, realpathSync, statSync } from 'node:fs'
import { join, normalize, relative } from 'node:path'
import { foreignText } from '../../place/foreign.ts'
import { pathIn } from '../../system/paths.ts'

/** The largest document that a ledger stores. */
const documentBytes = 8_388_608

/** The documents of a folder, and which of its files were read. */
export interface Documents {
  /**
   * The text of a document: a file, or the `.md` files of a folder with `index.md` and `spec.md` first. Throws if it cannot
   * be read or lies outside the folder.
   */
  document(location: string): string
  /** The text of a file. Throws if it cannot be read or lies outside the folder. */
  text(path: string): string
  /** The files below a folder that were not read, from the top; none if there is no such folder inside. */
  unread(location: string): string[]
}

export function documentsIn(folder: string): Documents {
  const seen = new Set<string>()
  const text = (location: string) => {
    const content = foreignText(join(folder, location), { within: folder, most: documentBytes })
    if (content === undefined) throw new Error(`${location} is gone`)
    seen.add(normalize(location))
    return content.replaceAll('\0', '').toWellFormed()
  }
  return {
    text,
    document(location) {
      const path = realpathSync(join(folder, location))
      if (pathIn(realpathSync(folder), path) === undefined) throw new Error(`${location} leads out of ${folder}`)
      if (!statSync(path).isDirectory()) return text(location)
      const names = readdirSync(path).filter((name) => name.endsWith('.md'))
      const ordered = names.sort((a, b) => rank(a) - rank(b) || a.localeCompare(b, 'en', { numeric: true }))
      if (names.length === 0) throw new Error(`${location} has no .md files`)
      let whole = ''
      for (const name of ordered) {
        whole += `${whole && '\n'}${text(join(location, name)).trimEnd()}\n`
        if (Buffer.byteLength(whole) > documentBytes) throw new Error(`${location} is longer than 8 MiB`)
      }
      return whole
    },
    unread: (location) => filesBelow(folder, location).filter((path) => !seen.has(path)),
  }
}

const first = ['index.md', 'spec.md']
const rank = (name: string) => {
  const at = first.indexOf(name.toLowerCase())
  return at < 0 ? first.length : at
}

/** The files below a folder, without following links; none if there is no such folder inside. */
export function filesBelow(folder: string, location: string): string[] {
  try {
    if (pathIn(realpathSync(folder), realpathSync(join(folder, location))) === undefined) return []
    return readdirSync(join(folder, location), { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
      .sort()
  } catch {
    return []
  }
}

/** A field in the `## Meta` of a document: `- **Status:** completed`. */
export const metaIn = (text: string, name: string): string | undefined =>
  text
    .slice(0, 4_000)
    .match(new RegExp(`(?<![^\\r\\n])- \\*\\*${name}:\\*\\* *([^\\r\\n]+)`))?.[1]
    ?.trim()
