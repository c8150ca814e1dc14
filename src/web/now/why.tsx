import type { Check } from '../../nouns/run/check/fields.ts'
import type { Run } from '../../nouns/run/fields.ts'
import type { Need } from '../data/lists/attention.ts'
import { useRead } from '../data/query/read.ts'
import { clientOf } from '../data/query/server.ts'
import { Ago } from '../ui/time.tsx'

/** Why a run needs attention, in a sentence. */
export function Why({ need: { run, why } }: { need: Need }) {
  if (why === 'unchecked') return <>Completed without a check. Most runs in {run.project} have one.</>
  if (why === 'failing' || why === 'stale') return <OfChecks run={run} why={why} />
  const { code, message } = run.failure ?? {}
  if (why === 'lease lost') return <>No sign of life until the lease expired. {firstLine(message)}</>
  if (code === undefined)
    return <>{run.exitCode ? `The command ended with exit code ${run.exitCode}.` : 'No reason was recorded.'}</>
  return (
    <>
      <code>{code}</code> {firstLine(message)}
    </>
  )
}

const firstLine = (text = '') => text.trim().split('\n', 1)[0]

function OfChecks({ run, why }: { run: Run; why: 'failing' | 'stale' }) {
  const { project, runId, version } = run
  const { data, error } = useRead(
    `${why} ${project}/${runId} ${version}`,
    (signal) =>
      clientOf(project).listChecks({ runId, result: why === 'failing' ? ['fail'] : undefined, limit: 100 }, { signal }),
    { touches: (event) => event.project === project && event.type.startsWith('check.'), restMs: 3000 },
  )
  if (error) return <>{error.message}</>
  // A space keeps the height of the line.
  if (!data) return <> </>
  const checks = data.checks.filter(({ counts }) => counts)
  if (why === 'failing') return <Failing checks={checks} />
  return <Stale run={run} check={checks.find(({ current }) => !current)} />
}

function Failing({ checks }: { checks: Check[] }) {
  const names = [...new Set(checks.map(({ name }) => name))]
  const [first] = checks
  if (!first) return <>A check failed.</>
  const exit = first.exitCode === null ? '' : ` with exit code ${first.exitCode}`
  return (
    <>
      {names.length > 1 ? 'Checks ' : 'Check '}
      <b>{names.join(', ')}</b> failed{names.length > 1 ? '' : exit}, <Ago at={first.createdAt} />
      {first.agent && `, by ${first.agent}`}
    </>
  )
}

function Stale({ run: { git, updatedAt }, check }: { run: Run; check: Check | undefined }) {
  if (!check) return <>The work changed after it was checked.</>
  const now = shortOf(git?.commit)
  const then = shortOf(check.commit)
  if (now && then && now !== then) {
    return (
      <>
        Commit <code>{now}</code> came after check <b>{check.name}</b> of commit <code>{then}</code>,{' '}
        <Ago at={check.createdAt} />
      </>
    )
  }
  return (
    <>
      Edited after check <b>{check.name}</b>
      {now && (
        <>
          {' '}
          on commit <code>{now}</code>
        </>
      )}
      ; last change <Ago at={updatedAt} />
    </>
  )
}

const shortOf = (commit: string | null | undefined) => commit?.slice(0, 8)
