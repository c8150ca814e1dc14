const errorWords = /\b(?:errors?|fail(?:ed|ure|s)?|fatal|panic(?:ked)?|exception|traceback|not ok)\b|^\s*(?:✖|✗|×)/i
/** Counts of nothing, which appear at the end of a passing test run. */
const noErrors = /\b(?:0|no)\s+(?:errors?|fail(?:ed|ures?|s)?)\b|\b(?:errors?|fail(?:ed|ures?|s)?)[:=]?\s+0\b/i

/** Whether a line reports an error. Lines are judged by their first 1,000 characters. */
export function isError(line: string): boolean {
  const start = line.slice(0, 1000)
  return errorWords.test(start) && !noErrors.test(start)
}
