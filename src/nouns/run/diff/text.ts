import type { FileDiff } from './fields.ts'

/** Unified diffs as text, in the form that `git apply` takes. */

type ShownDiff = Omit<FileDiff, 'turn'>

/** Why a diff is not whole, so that it cannot be applied; undefined if it can. */
export function gapOf({ binary, cut, erased, masked, withheld }: ShownDiff): string | undefined {
  if (binary) return 'it is binary, or not UTF-8'
  if (erased) return 'its text was erased'
  if (withheld) return 'the project does not record what was written'
  if (cut) return `${cut.lines.toLocaleString('en')} lines of its diff were too long to record`
  if (masked) return 'secrets in it are masked'
  return undefined
}

/** The diff of a file. What is missing from it is said in a line before it, which `git apply` ignores. */
export function patchOf(file: ShownDiff): string {
  const gap = gapOf(file)
  const shown = gap === undefined || file.patch === undefined ? file : { ...file, patch: inert(file.patch) }
  return `${gap === undefined ? '' : `# ${quoted(file.path)}: ${gap}\n`}${isOtherType(shown) ? replaced(shown) : bodyOf(shown)}`
}

/**
 * The text of a diff that is not whole, which nothing has checked: a line that no hunk has, and names in the middle, are set
 * apart by `#`, or `git apply` would find the diff of another file in it.
 */
const inert = (patch: string): string =>
  (patch.endsWith('\n') ? patch : `${patch}\n`)
    .replace(/(?<![^\n])(?=[^ +\-@\\\n])/g, '# ')
    .replace(/(?<![^\n])(--- [^\n]*\n)(?=\+\+\+ )/g, '$1#\n')

/** A file and a link in place of each other: git deletes the one and adds the other. */
const isOtherType = ({ mode, oldMode }: ShownDiff) =>
  mode !== undefined && oldMode !== undefined && mode.slice(0, 2) !== oldMode.slice(0, 2)

function replaced({ mode, oldMode, after, patch = '', ...file }: ShownDiff): string {
  const at = patch.search(/(?<![^\n])@@ -0,0 /)
  const [gone, made] = at < 0 ? [patch, ''] : [patch.slice(0, at), patch.slice(at)]
  const { before, ...rest } = file
  return (
    bodyOf({ ...rest, ...(before && { before }), status: 'deleted', ...(oldMode && { oldMode }), patch: gone }) +
    bodyOf({ ...rest, ...(after && { after }), status: 'added', ...(mode && { mode }), patch: made })
  )
}

function bodyOf(file: ShownDiff): string {
  const { path, from = path, status, mode, oldMode, before, after, binary, patch } = file
  const [old, now] = [`a/${from}`, `b/${path}`]
  const none = '0'.repeat((before ?? after ?? '').length || 40)
  const ids = (before ?? after) ? `${before ?? none}..${after ?? none}` : undefined
  const [oldName, name] = [
    status === 'added' ? '/dev/null' : quoted(old),
    status === 'deleted' ? '/dev/null' : quoted(now),
  ]
  const lines = [
    `diff --git ${quoted(old)} ${quoted(now)}`,
    ...(status === 'added' ? [`new file mode ${mode ?? '100644'}`] : []),
    ...(status === 'deleted' ? [`deleted file mode ${oldMode ?? '100644'}`] : []),
    ...(status !== 'added' && status !== 'deleted' && mode && oldMode
      ? [`old mode ${oldMode}`, `new mode ${mode}`]
      : []),
    ...(status === 'renamed' ? [`rename from ${quoted(from)}`, `rename to ${quoted(path)}`] : []),
    ...(ids && before !== after ? [`index ${ids}`] : []),
    ...(binary ? [`Binary files ${oldName} and ${name} differ`] : []),
    ...(patch ? [`--- ${ended(oldName)}`, `+++ ${ended(name)}`] : []),
  ]
  return `${lines.join('\n')}\n${patch ?? ''}`
}

/** Git ends a name with a space in it by a tab, or readers would take the rest for a time. */
const ended = (name: string) => (name.includes(' ') && !name.startsWith('"') ? `${name}\t` : name)

const escapes: Record<string, string> = {
  ...{ '"': '\\"', '\\': '\\\\', '\n': '\\n', '\t': '\\t', '\r': '\\r' },
  ...{ '\b': '\\b', '\f': '\\f', '\v': '\\v', '\x07': '\\a' },
}

/** A path as git writes it: in quotes if it has control characters, quotes or backslashes. */
function quoted(path: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what git escapes
  const special = /["\\\x00-\x1f\x7f]/g
  if (!special.test(path)) return path
  const escaped = path.replace(special, (one) => escapes[one] ?? `\\${one.charCodeAt(0).toString(8).padStart(3, '0')}`)
  return `"${escaped}"`
}
