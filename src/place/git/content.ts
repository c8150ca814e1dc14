import { isUtf8 } from 'node:buffer'
import { bytesIn, withRepository } from './guarded.ts'

/** The content of a file in a commit; null if it has no such file, undefined if that is unknown or not UTF-8. */
export function contentAt(root: string, commit: string, path: string): string | null | undefined {
  if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(commit)) return undefined
  return withRepository(root, (of) => {
    if (bytesIn(of, ['ls-tree', '-z', commit, '--', path]).length === 0) return null
    const content = bytesIn(of, ['cat-file', 'blob', `${commit}:${path}`], { mostBytes: 8_388_608 })
    return isUtf8(content) ? content.toString('utf8') : undefined
  })
}
