import type { Dialect } from '../db.ts'

/**
 * What a verdict rests on: what a recorder saw, and for whom. Persons are stored as hashes of their mail, so that erasing
 * a text makes no check independent. Runs of earlier versions are not `judged`: a job derives their verdicts again.
 */
export function verdict({ text, integer }: Dialect): string[] {
  const added: Record<string, Record<string, string>> = {
    runs: {
      required: text,
      why: text,
      recorder_token: text,
      commit_tree: text,
      author_person: text,
      creator_person: text,
      judged: `${integer} not null default 0`,
    },
    run_writers: { person: text },
    run_commits: { made: `${integer} not null default 0`, noted_at: text },
    checks: {
      recorder: text,
      start_tree: text,
      commit_tree: text,
      pipeline: text,
      result_person: text,
      linked_to: text,
    },
    keys: { person: text, machine: text },
  }
  return [
    ...Object.entries(added).flatMap(([table, columns]) =>
      Object.entries(columns).map(([name, type]) => `alter table ${table} add column ${name} ${type}`),
    ),
    'update runs set recorder_token = lease_token where lease_token is not null',
    'create index runs_by_commit_tree on runs (project_id, commit_tree, created_at, id) where commit_tree is not null',
    'create index runs_unjudged on runs (id) where judged = 0',
  ]
}
