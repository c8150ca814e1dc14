const head = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/

/**
 * Whether a text is the hunks of one unified diff, each as long as its head says. In any other text, the diff of another
 * file could hide, and `git apply` would follow it.
 */
export function isHunks(patch: string): boolean {
  if (!patch.startsWith('@@ ') || !patch.endsWith('\n')) return false
  let [before, after] = [0, 0]
  for (const line of patch.slice(0, -1).split('\n')) {
    // "\ No newline at end of file"
    if (line.startsWith('\\')) continue
    if (before === 0 && after === 0) {
      const [, old = '1', now = '1'] = head.exec(line) ?? ['', '0', '0']
      before = Number(old)
      after = Number(now)
      if (before + after === 0) return false
      continue
    }
    // Some programs drop the space of an empty line that stays.
    const [sign = ' '] = line
    if (!' +-'.includes(sign)) return false
    if (sign !== '+') before--
    if (sign !== '-') after--
    if (before < 0 || after < 0) return false
  }
  return before === 0 && after === 0
}
