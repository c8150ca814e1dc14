import { comparePaths, type Ledger, startLedgers } from './growth.ts'
import type { Row } from './report.ts'
import type { Workplace } from './servers.ts'

const many = 300

/** Questions of a key that sees all projects. */
const questions: Record<string, string> = {
  'runs of all projects': '/v1/runs?limit=20',
  'runs of all projects with a status': '/v1/runs?status=failed',
  'runs of two projects': '/v1/runs?project=project-7&project=project-11',
  'checks of all projects': '/v1/checks?limit=20',
  'specs of all projects': '/v1/specs?limit=20',
  'features of all projects': '/v1/features?limit=20',
  'events of all projects': '/v1/events?limit=20&order=desc',
  'events of two projects': '/v1/events?limit=20&project=project-7&project=project-11',
  'events of a rare type in two projects': '/v1/events?type=check.created&project=project-7&project=project-11',
  'search in all projects': '/v1/search?q=flamingo',
}

/** Compares latencies over that many projects and over twelve, with the same number of runs, on both engines. */
export async function measureProjects(place: Workplace, runs: number): Promise<Row[]> {
  const rows: Row[] = []
  for (const engine of ['SQLite', 'PostgreSQL'] as const) {
    const sizes = [
      { runs, projects: 12 },
      { runs, projects: many },
    ]
    const ledgers: Ledger[] = await startLedgers(place, engine, sizes)
    for (const [title, path] of Object.entries(questions)) {
      rows.push(await comparePaths(`${engine}: ${title}, of 12 → of ${many}`, ledgers, () => [path]))
    }
  }
  return rows
}
