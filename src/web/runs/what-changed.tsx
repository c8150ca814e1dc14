import { useState } from 'preact/hooks'
import type { Output } from '../../client/client.ts'
import type { Run } from '../../nouns/run/fields.ts'
import type { Git } from '../../nouns/run/work-fields.ts'
import { type Read, useRead } from '../data/query/read.ts'
import { clientOf } from '../data/query/server.ts'
import { type Forge, forgeOf, isCommit } from '../data/runs/forge.ts'
import { isTurnOf } from '../data/runs/run-events.ts'
import { FileLink } from '../files/file-link.tsx'
import { Icon } from '../ui/icon.tsx'
import { Problem } from '../ui/loading.tsx'
import { OuterLink, outerAddress } from '../ui/text.tsx'
import { plural } from '../ui/words.ts'
import { Changes, uncreditedWords } from './changes.tsx'

/** What a run changed in the code, with links to the repository's host. */
export function WhatChanged({ run, files }: { run: Run; files: FilesRead }) {
  const { changes, git, links } = run
  const hasFiles = (files.data?.files.length ?? 0) > 0
  if (!changes && !git && links.length === 0 && !hasFiles && !files.error) {
    return <p class="muted">Unknown: the run names no changes, no commit and no links.</p>
  }
  return (
    <>
      <div class="changed">
        <Changes changes={changes} />
        <Links links={links} />
        {git && <State git={git} forge={forgeOf(git.repository)} />}
      </div>
      {changes?.uncredited && <p class="muted small">{uncreditedWords(changes.uncredited)}.</p>}
      {git?.commits && <Commits ids={git.commits} forge={forgeOf(git.repository)} />}
      <RunFiles project={run.project} read={files} />
    </>
  )
}

/** What to review first: pull requests, with their numbers. */
function Links({ links }: Pick<Run, 'links'>) {
  const isReview = ({ href }: Run['links'][number]) => reviewNumber(href) !== undefined
  const sorted = links.toSorted((a, b) => Number(isReview(b)) - Number(isReview(a)))
  return sorted.map(({ rel, href }, index) => {
    const number = reviewNumber(href)
    return (
      <OuterLink key={index} href={href}>
        {outerAddress(href) ? `${rel}${number === undefined ? '' : ` #${number}`}` : `${rel}: ${href}`}
      </OuterLink>
    )
  })
}

/** The number in the address of a pull request at GitHub, Gitea, GitLab or Bitbucket. */
const reviewNumber = (href: string) => /\/(?:pulls?|merge_requests|pull-requests)\/(\d{1,9})(?:[/?#]|$)/.exec(href)?.[1]

/** The branch, its base and its head, and a link to compare the two. */
function State({ git: { branch, base, commit, dirty }, forge }: { git: Git; forge: Forge | undefined }) {
  const canCompare = forge && isCommit(base) && isCommit(commit) && base !== commit
  return (
    <>
      {branch && (
        <span class="ref">
          <Icon name="branch" />
          <code>{forge ? <OuterLink href={forge.branch(branch)}>{branch}</OuterLink> : branch}</code>
        </span>
      )}
      {base && (
        <span class="muted">
          from <Commit id={base} forge={forge} />
        </span>
      )}
      {commit && (
        <span class="muted">
          at <Commit id={commit} forge={forge} />
        </span>
      )}
      {canCompare && <OuterLink href={forge.compare(base, commit)}>Compare</OuterLink>}
      {dirty && <span class="muted">with changes that are not committed</span>}
    </>
  )
}

function Commit({ id, forge }: { id: string; forge: Forge | undefined }) {
  if (!isCommit(id)) return <code title={id}>{id}</code>
  const text = <code title={id}>{id.slice(0, 12)}</code>
  return forge ? <OuterLink href={forge.commit(id)}>{text}</OuterLink> : text
}

/** The commits of a run, folded if there are many. */
function Commits({ ids, forge }: { ids: string[]; forge: Forge | undefined }) {
  if (ids.length === 0) return null
  return (
    <details class="part commits" open={ids.length <= 5}>
      <summary>{plural(ids.length, 'commit')}</summary>
      <ol>
        {ids.map((id) => (
          <li key={id}>
            <Commit id={id} forge={forge} />
          </li>
        ))}
      </ol>
    </details>
  )
}

type RunFile = Output<'listRunFiles'>['files'][number]

/** How many files to show at first, and the most to read. */
const shownFirst = 10
const most = 100

export type FilesRead = Read<Output<'listRunFiles'>>

/** Reads the files that the turns of a run changed. */
export const useRunFiles = (project: string, runId: string): FilesRead =>
  useRead('files', (signal) => clientOf(project).listRunFiles({ runId, limit: most }, { signal }), {
    touches: (event) => event.type === 'turn.created' && isTurnOf(event, project, runId),
    restMs: 1000,
  })

/** The files that a run changed, most changed lines first, with a bar for each. */
function RunFiles({ project, read: { data, error, reload } }: { project: string; read: FilesRead }) {
  const [isWhole, setWhole] = useState(false)
  if (error && !data) return <Problem error={error} onRetry={reload} />
  if (!data || data.files.length === 0) return null
  const { files, meta } = data
  const shown = isWhole ? files : files.slice(0, shownFirst)
  const largest = linesOf(files[0])
  return (
    <div class="files">
      <ul aria-label="Files">
        {shown.map((file) => (
          <FileRow key={file.path} project={project} file={file} largest={largest} />
        ))}
      </ul>
      {files.length > shown.length && (
        <button type="button" class="plain" onClick={() => setWhole(true)}>
          {meta.total > most ? `Show the ${most} largest` : `Show all ${plural(meta.total, 'file')}`}
        </button>
      )}
      {isWhole && meta.total > files.length && (
        <p class="muted small">{plural(meta.total - files.length, 'smaller file')} not shown.</p>
      )}
    </div>
  )
}

const linesOf = (file: RunFile | undefined) => (file?.insertions ?? 0) + (file?.deletions ?? 0)

function FileRow({ project, file, largest }: { project: string; file: RunFile; largest: number }) {
  const { path, insertions = 0, deletions = 0 } = file
  const width = (lines: number) => ({ width: `${largest === 0 ? 0 : (lines / largest) * 100}%` })
  return (
    <li>
      <FileLink project={project} path={path} />
      <Changes changes={file} />
      <span class="lines-bar" aria-hidden="true">
        <span class="plus" style={width(insertions)} />
        <span class="minus" style={width(deletions)} />
      </span>
    </li>
  )
}
