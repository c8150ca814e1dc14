import { globSync, readFileSync } from 'node:fs'
import { root } from './built.ts'

/**
 * The result of a proof: its duration, unless it was interrupted; whether it passed; and its findings, one per line.
 */
export interface Proved {
  seconds?: number
  passed: boolean
  showed: string[]
}

const takesSize = /^import \{.*\bsize\b.*\} from '.*\/proof\/size\.ts'/m

/** The files of all proofs: those in `test/proof`, and tests with a full size. */
export function allProofs(): string[] {
  const tests = globSync('test/**/*.test.ts', { cwd: root }).sort()
  const large = tests.filter((path) => path.startsWith('test/proof/') || takesSize.test(readFileSync(path, 'utf8')))
  return [...globSync('test/proof/*.proof.ts', { cwd: root }).sort(), ...large]
}

/** The name of a proof: its path without the common parts. */
export const nameOf = (path: string) =>
  path.replace(/^test\/(proof\/|property\/)?/, '').replace(/\.(test|proof)\.ts$/, '')

/** Whether this is the name of a proof, which a folder may have as well. */
export const isProof = (word: string): boolean => allProofs().some((path) => nameOf(path) === word)

/** Proofs about a folder that must be named. */
const ofFolders = ['import-v0']

/**
 * The files of the proofs with these names, or of all that need no folder. A name may also be the path of a file. Throws if there is no
 * such proof.
 */
export function proofs(names: string[]): string[] {
  const all = allProofs()
  if (names.length === 0) return all.filter((path) => !ofFolders.includes(nameOf(path)))
  return names.map((name) => {
    const found = /\.\w+$/.test(name) ? name : all.find((path) => nameOf(path) === name)
    if (found === undefined) {
      throw new Error(`There is no proof '${name}'. The proofs are ${all.map(nameOf).sort().join(', ')}.`)
    }
    return found
  })
}

/** The share of the full size in `--share`. Throws unless it is above 0 and at most 1. */
export function shareOf(text: string): string {
  const share = Number(text)
  if (share > 0 && share <= 1) return text
  throw new Error(`--share is '${text}', and must be a number above 0, and 1 at most: 0.1 is a tenth of the full size.`)
}

const widest = 110

/** One line per proof: its name, its seconds, ok or failed, and its findings, on further lines if there are several. */
export function tableOf(results: [name: string, proved: Proved][]): string {
  const rows = results.flatMap(([name, { seconds, passed, showed }]) => {
    const about = [name, seconds?.toFixed(1) ?? '—', passed ? 'ok' : 'failed']
    return (showed.length === 0 ? [''] : showed).map((line, n) => [
      ...(n === 0 ? about : ['', '', '']),
      line.length > widest ? `${line.slice(0, widest)}…` : line,
    ])
  })
  const table = [['proof', 'seconds', 'result', 'showed'], ...rows]
  const [name, seconds, result] = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  return table
    .map(([a = '', b = '', c = '', d = '']) =>
      `${a.padEnd(name ?? 0)}  ${b.padStart(seconds ?? 0)}  ${c.padEnd(result ?? 0)}  ${d}`.trimEnd(),
    )
    .join('\n')
}
