import Table from 'cli-table3'
import type { Outcome } from './try.ts'

/** Agents that npm does not have. */
const elsewhere = ['Cursor', 'Copilot in VS Code']

/** A table of the results, and below it the differences and what agents do not report. */
export function report(outcomes: Outcome[]): string {
  const table = new Table({ head: ['agent', 'version', 'scenario', 'recorded'], style: { head: [], border: [] } })
  for (const { agent, version, scenario, kind, findings } of outcomes) {
    const limits = findings.filter(({ limit }) => limit !== undefined).length
    const differences = findings.length - limits
    const counts = [
      ...(differences > 0 ? [`${differences} different`] : []),
      ...(limits > 0 ? [`${limits} not reported by the agent`] : []),
    ]
    table.push([agent.title, version, scenario, counts.length > 0 ? `${kind} (${counts.join(', ')})` : kind])
  }
  const notes = outcomes.flatMap(notesOf)
  return `${[table.toString(), ...notes, `Not tried: ${elsewhere.join(', ')}; they are not on npm.`].join('\n')}\n`
}

function notesOf({ agent, scenario, findings, note }: Outcome): string[] {
  const lines = findings.map(({ name, scripted, recorded, limit }) =>
    limit === undefined
      ? `  ${name}: scripted ${JSON.stringify(scripted)}, recorded ${JSON.stringify(recorded)}`
      : `  ${name}: ${JSON.stringify(recorded)}. ${limit}`,
  )
  if (lines.length === 0 && note === undefined) return []
  return ['', `${agent.title}, ${scenario}${note === undefined ? '' : `: ${note}`}`, ...lines]
}
