import { open, readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pathIn } from '../place/folders.ts'

/** The largest document that a ledger stores. */
const documentBytes = 8_388_608

/**
 * The text of a document that a tracker names: a file, or the files of a folder with `index.md` and `spec.md` first.
 * Throws if it cannot be read or lies outside `folder`.
 */
export async function readDocument(folder: string, location: string): Promise<string> {
  const path = await inside(folder, location)
  if (!(await stat(path)).isDirectory()) return readText(path)
  const names = (await readdir(path)).filter((name) => name.endsWith('.md'))
  const ordered = names.sort((a, b) => rank(a) - rank(b) || a.localeCompare(b, 'en', { numeric: true }))
  const texts: string[] = []
  for (const name of ordered) texts.push((await readText(await inside(folder, join(location, name)))).trimEnd())
  if (texts.length === 0) throw new Error(`${location} has no .md files`)
  const text = `${texts.join('\n\n')}\n`
  if (Buffer.byteLength(text) > documentBytes) throw tooLong(location)
  return text
}

const first = ['index.md', 'spec.md']
const rank = (name: string) => (first.includes(name) ? first.indexOf(name) : first.length)

async function inside(folder: string, location: string): Promise<string> {
  const [root, path] = await Promise.all([realpath(folder), realpath(join(folder, location))])
  if (pathIn(root, path) === undefined) throw new Error(`${location} leads out of ${folder}`)
  return path
}

async function readText(path: string): Promise<string> {
  const handle = await open(path, 'r')
  try {
    const info = await handle.stat()
    if (!info.isFile()) throw new Error(`${path} is not a regular file`)
    if (info.size > documentBytes) throw tooLong(path)
    return (await handle.readFile('utf8')).replaceAll('\0', '').toWellFormed()
  } finally {
    await handle.close()
  }
}

const tooLong = (name: string) => new Error(`${name} is longer than 8 MiB`)

/** A field in the `## Meta` of a document: `- **Status:** completed`. */
export const metaIn = (text: string, name: string): string | undefined =>
  text
    .slice(0, 4_000)
    .match(new RegExp(`(?<![^\\r\\n])- \\*\\*${name}:\\*\\* *([^\\r\\n]+)`))?.[1]
    ?.trim()
