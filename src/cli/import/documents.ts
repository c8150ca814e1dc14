import { readdirSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pathIn } from '../../place/folders.ts'
import { foreignText } from '../../place/foreign.ts'

/** The largest document that a ledger stores. */
const documentBytes = 8_388_608

/**
 * The text of a document that a tracker names: a file, or the files of a folder with `index.md` and `spec.md` first.
 * Throws if it cannot be read or lies outside `folder`.
 */
export function readDocument(folder: string, location: string): string {
  const path = realpathSync(join(folder, location))
  if (pathIn(realpathSync(folder), path) === undefined) throw new Error(`${location} leads out of ${folder}`)
  if (!statSync(path).isDirectory()) return readText(folder, location)
  const names = readdirSync(path).filter((name) => name.endsWith('.md'))
  const ordered = names.sort((a, b) => rank(a) - rank(b) || a.localeCompare(b, 'en', { numeric: true }))
  if (names.length === 0) throw new Error(`${location} has no .md files`)
  let text = ''
  for (const name of ordered) {
    text += `${text && '\n'}${readText(folder, join(location, name)).trimEnd()}\n`
    if (Buffer.byteLength(text) > documentBytes) throw new Error(`${location} is longer than 8 MiB`)
  }
  return text
}

const first = ['index.md', 'spec.md']
const rank = (name: string) => (first.includes(name) ? first.indexOf(name) : first.length)

function readText(folder: string, location: string): string {
  const text = foreignText(join(folder, location), { within: folder, most: documentBytes })
  if (text === undefined) throw new Error(`${location} is gone`)
  return text.replaceAll('\0', '').toWellFormed()
}

/** A field in the `## Meta` of a document: `- **Status:** completed`. */
export const metaIn = (text: string, name: string): string | undefined =>
  text
    .slice(0, 4_000)
    .match(new RegExp(`(?<![^\\r\\n])- \\*\\*${name}:\\*\\* *([^\\r\\n]+)`))?.[1]
    ?.trim()
