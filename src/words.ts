// What coding agents read about Conduct. AGENTS.md and the instructions of the MCP server share these sentences.

const sentences = {
  ledger: 'Conduct is the ledger of what coding agents did.',
  before:
    'Before you begin, check whether somebody has done or tried this before: use the tool search_ledger, or `conduct search <words>`.',
  hooks: 'do not call start_run or finish_run. Call log_run only for a note worth keeping.',
  tools:
    'Call start_run, log_run as you go, record_check with command and exitCode, then finish_run. Pass the runId from start_run to the others.',
  check:
    'Run whatever verifies your work as a check: `conduct check exec --name tests -- npm test`. It belongs to your session and needs no id. If the shell does not find `conduct`, call `~/.local/share/conduct/bin/conduct`. Without that command, run checks without a pipe: `npm test | tail` hides the result unless `set -o pipefail;` precedes it.',
  honest: 'Never record a check that you did not run.',
}

/** The instructions of the MCP server. Hooks may record its clients, too. */
export const instructions = `${sentences.ledger}
- ${sentences.before}
- If AGENTS.md says that hooks record your session, ${sentences.hooks}
- Without hooks: ${sentences.tools}
- ${sentences.check}
- ${sentences.honest}`

/** The block of AGENTS.md. `titles` names the agents with hooks; it may be empty. */
export function agentsBlock(project: string, titles: readonly string[]): string {
  const who =
    titles.length === 0
      ? `- This project registers no hooks. Unless a plugin of Conduct records your session: ${sentences.tools}`
      : `- Hooks record each session of ${listed(titles)}: ${sentences.hooks}\n- Any other agent: ${sentences.tools}`
  return `## Conduct

${sentences.ledger} In it, this project is \`${project}\`.

- ${sentences.before}
${who}
- ${sentences.check}
- Run a command whose output is worth keeping with \`conduct exec -- <command>\`.
- ${sentences.honest}`
}

/** Joins names for a sentence: `a`, `a and b`, `a, b and c`. */
export const listed = (names: readonly string[]) =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
