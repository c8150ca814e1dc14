import type { Run } from '../../nouns/run/fields.ts'
import type { Git } from '../../nouns/run/work-fields.ts'
import { href, type Route } from '../app/router.ts'
import { type Forge, forgeOf, isCommit } from '../data/runs/forge.ts'
import { Icon } from '../ui/icon.tsx'
import { OuterLink, outerAddress } from '../ui/text.tsx'
import { plural } from '../ui/words.ts'
import { Changes, uncreditedWords } from './changes.tsx'

/** What a run changed in the code, with links to its changes and to the repository's host. */
export function WhatChanged({ run, route }: { run: Run; route: Route }) {
  const { changes, git, links } = run
  if (!changes && !git && links.length === 0) return null
  return (
    <section aria-labelledby="changed">
      <h2 id="changed">What changed</h2>
      <div class="changed">
        {changes && (
          <a href={href(route.path, { view: 'changes' })}>
            <Changes changes={changes} />
          </a>
        )}
        <Links links={links} />
        {git && <State git={git} forge={forgeOf(git.repository)} />}
      </div>
      {changes?.uncredited && <p class="muted small">{uncreditedWords(changes.uncredited)}.</p>}
      {git?.commits && <Commits ids={git.commits} forge={forgeOf(git.repository)} />}
    </section>
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
