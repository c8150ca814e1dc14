/** The skills of the plugins, in the format of agentskills.io: the name of a folder, and the text of its SKILL.md. */
export const skills: Record<string, string> = {
  'record-a-check': skill(
    'record-a-check',
    'Record tests, lint, types or a build as a check in the Conduct ledger. Use it when you verify your work, before you say that it is done.',
    `# Record a check

Conduct derives whether a run is verified from its checks. A check counts most if Conduct ran the
command itself.

1. Run whatever verifies the work through Conduct. It passes output and exit code on:

   \`\`\`sh
   conduct check exec --name tests -- npm test
   \`\`\`

   Use the project's own command. \`conduct.json\` names the checks that a verdict needs under
   \`required\`; use those names. The check belongs to your session and needs no id.
2. Do not put a pipe behind the command: \`npm test | tail\` hides its exit code.
3. If you change files afterwards, the check becomes stale. Run it again.
4. Read the verdict before you report: \`conduct run get <runId>\`, or the tool \`read_ledger\`.

Without the command \`conduct\`, use the tool \`record_check\` with \`command\` and \`exitCode\` of a
command that you ran. That is a claim, and Conduct says so. Never record a check that you did not
run.
`,
  ),
  'look-up-earlier-work': skill(
    'look-up-earlier-work',
    'Look up in the Conduct ledger what was done, tried and decided before. Use it before you change code whose reason you do not know, and before you begin a task that somebody may have begun.',
    `# Look up earlier work

The Conduct ledger has the sessions of all agents in this project: prompts, answers, files,
commands, checks and specs.

1. Search for the subject in plain words, with the tool \`search_ledger\` or
   \`conduct search passkey login\`. Try the name of the file, the function, or the error message.
2. Read the best hits with \`read_ledger\` or \`conduct run get RUN-012\`: what was asked, what the
   answer was, which checks failed.
3. A run with the status \`failed\` was tried already. Say what you will do differently.
4. If a run in progress works on the same thing, tell the user before you begin.
5. Where a spec exists, it says what the work is for. Follow it, or ask.

Quote the id of each run that you rely on, such as RUN-012. If nothing matches, say so and go on.
`,
  ),
}

function skill(name: string, description: string, text: string): string {
  return `---\nname: ${name}\ndescription: ${description}\n---\n\n${text}`
}
