import type { ComponentChildren } from 'preact'
import type { Output } from '../../client/client.ts'
import type { Event } from '../../log/fields.ts'
import type { Turn } from '../../nouns/run/turn-fields.ts'
import { href, type Route } from '../app/router.ts'
import { useScope } from '../data/lists/projects.ts'
import { useRead } from '../data/query/read.ts'
import { clientOf } from '../data/query/server.ts'
import { Head } from '../ui/head.tsx'
import { lazy, Problem, Skeleton } from '../ui/loading.tsx'
import { Badge, lookOf, resultLooks, results } from '../ui/status.tsx'
import { plural } from '../ui/words.ts'
import { factsOf } from './compare-facts.tsx'
import { Markdown } from './log.tsx'

const Difference = lazy(() => import('../specs/difference.tsx'))

type FullRun = Output<'getRun'>['run']
type Check = Output<'listChecks'>['checks'][number]

/** Added and removed lines by file path. */
interface Files {
  byPath: Map<string, string>
  /** Whether there are turns that were not read. */
  isCut: boolean
}

interface Side {
  run: FullRun
  /** The last answer of a session. */
  answer: string | undefined
  /** Those that count for the verdict. */
  checks: Check[]
  files: Files
}

/** Contents longer than this many characters are not compared. */
const longest = 300_000
const mostTurns = 500

/** Two runs side by side, named in the address: `#/compare?run=shop/RUN-001&run=shop/RUN-002`. */
export default function Compare({ route }: { route: Route }) {
  const names = route.query.getAll('run').filter((name) => /^[^/]+\/[^/]+$/.test(name))
  const [a, b] = names
  const project = useScope()
  const { data, error, reload } = useRead(
    a && b && names.length === 2 ? names.join(' ') : '',
    (signal) => Promise.all([readSide(a ?? '', signal), readSide(b ?? '', signal)]),
    { touches: (event) => names.some((name) => touches(event, name)), restMs: 2000 },
  )
  return (
    <>
      <Head title="Compare runs" />
      {names.length !== 2 && (
        <div class="empty">
          <p>
            To compare two runs, pick them in the <a href={href(['runs'], { project })}>list of runs</a>.
          </p>
        </div>
      )}
      {error && <Problem error={error} onRetry={reload} />}
      {names.length === 2 && !data && !error && <Skeleton rows={12} />}
      {data && <Compared sides={data} />}
    </>
  )
}

/** Whether an event is about a run, its turns or its checks. The log does not say of which run a changed check is. */
function touches({ type, project, subject, changes }: Event, name: string): boolean {
  if (type.startsWith('check.')) return type !== 'check.created' || `${project}/${changes.runId?.[1]}` === name
  return /^(run|turn)\./.test(type) && `${project}/${subject}/`.startsWith(`${name}/`)
}

async function readSide(name: string, signal: AbortSignal): Promise<Side> {
  const [project = '', runId = ''] = name.split('/')
  const client = clientOf(project)
  const [{ run }, checks, { files, answer }] = await Promise.all([
    client.getRun({ runId }, { signal }),
    Array.fromAsync(client.all('listChecks', { runId, limit: 100 }, { signal })),
    workOf(client.all('listTurns', { runId, order: 'desc', limit: 100 }, { signal })),
  ])
  return { run, answer, checks: checks.filter(({ counts }) => counts), files }
}

/** The changes of a run to each file, from the last turn that wrote to it, and its last answer. The newest turn comes first. */
async function workOf(turns: AsyncIterable<Turn>): Promise<Pick<Side, 'files' | 'answer'>> {
  const byPath = new Map<string, string>()
  let [count, answer]: [number, string | undefined] = [0, undefined]
  for await (const turn of turns) {
    // Its files have no figures yet.
    if (turn.open) continue
    if (++count > mostTurns) return { files: { byPath, isCut: true }, answer }
    answer ??= turn.answer
    for (const file of turn.files ?? []) if (!byPath.has(file.path)) byPath.set(file.path, linesOf(file))
  }
  return { files: { byPath, isCut: false }, answer }
}

const linesOf = ({ insertions, deletions }: NonNullable<Turn['files']>[number]) =>
  insertions === undefined && deletions === undefined
    ? 'written'
    : `+${(insertions ?? 0).toLocaleString('en')} −${(deletions ?? 0).toLocaleString('en')}`

type Sides = [Side, Side]

function Compared({ sides }: { sides: Sides }) {
  const [a, b] = sides
  const checks = [...new Set(sides.flatMap(({ checks }) => checks.map(({ name }) => name)))].sort()
  const files = [...new Set(sides.flatMap(({ files }) => [...files.byPath.keys()]))].sort()
  const isCut = sides.some(({ files }) => files.isCut)
  return (
    <>
      <table class="compare">
        <thead>
          <tr>
            <td />
            {sides.map(({ run }) => (
              <th key={run.id} scope="col">
                <a class="title" href={href(['runs', run.project, run.runId])}>
                  {run.title ?? run.runId}
                </a>
                <span class="id">
                  {run.project} / {run.runId}
                </span>
              </th>
            ))}
          </tr>
        </thead>
        <Rows title="Facts" rows={factsOf(a.run, b.run)} />
        <Rows title="Checks" rows={checks.map((name) => ({ name, cells: sides.map((side) => checkOf(side, name)) }))} />
        <Rows
          title={plural(files.length, 'file') + (isCut ? ` of the newest ${mostTurns} turns of each run` : '')}
          rows={files.map((path) => ({ name: path, cells: sides.map(({ files }) => files.byPath.get(path)) }))}
        />
      </table>
      {sides.some(({ answer }) => answer !== undefined) ? (
        <Answers sides={sides} />
      ) : (
        <section aria-labelledby="both-contents">
          <h2 id="both-contents">Content</h2>
          <Contents before={a.run.content} after={b.run.content} />
        </section>
      )}
    </>
  )
}

/** The last answers side by side. What sessions wrote besides differs in every line. */
const Answers = ({ sides }: { sides: Sides }) => (
  <section aria-labelledby="both-answers">
    <h2 id="both-answers">Last answers</h2>
    <div class="sides">
      {sides.map(({ run, answer }) => (
        <section key={run.id} aria-label={run.runId}>
          {answer === undefined ? <p class="muted">None.</p> : <Markdown text={answer} />}
        </section>
      ))}
    </div>
  </section>
)

/** The worst result of the checks of a name. */
function checkOf({ checks }: Side, name: string) {
  const named = checks.filter((check) => check.name === name)
  const result = results.find((one) => named.some((check) => check.result === one)) ?? named[0]?.result
  return result && <Badge look={lookOf(resultLooks, result)} />
}

interface RowsProps {
  title: string
  /** `isDifferent` is for differences that the cells do not show. */
  rows: { name: string; cells: ComponentChildren[]; isDifferent?: boolean }[]
}

function Rows({ title, rows }: RowsProps) {
  if (rows.length === 0) return null
  return (
    <tbody>
      <tr class="group">
        <th colSpan={3} scope="rowgroup">
          {title}
        </th>
      </tr>
      {rows.map(({ name, cells, isDifferent }) => (
        <tr key={name} class={isDifferent ? 'different' : undefined}>
          <th scope="row">{name}</th>
          {cells.map((cell, index) => (
            <td key={index}>{cell ?? <span class="muted">—</span>}</td>
          ))}
        </tr>
      ))}
    </tbody>
  )
}

function Contents({ before, after }: { before: string; after: string }) {
  if (before === after)
    return <p class="empty">{before === '' ? 'Neither run has content.' : 'Both runs have the same content.'}</p>
  if (before.length + after.length > longest) {
    return (
      <p class="empty">
        The contents are too long to compare here: {plural(before.length + after.length, 'character')}.
      </p>
    )
  }
  return <Difference before={before} after={after} />
}
