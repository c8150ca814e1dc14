import { useRef } from 'preact/hooks'
import type { Output } from '../../client/client.ts'
import type { Spec } from '../../nouns/spec/fields.ts'
import { href } from '../app/router.ts'
import { useInSight } from '../ui/in-sight.ts'
import { Badge } from '../ui/status.tsx'
import { Checklist, specLooks } from './spec-status.tsx'
import { NewestWork } from './spec-work.tsx'

/** All specs as one list, in the order of the board. */
export function SpecList({ pages, isBusy }: { pages: Output<'listSpecs'>[]; isBusy: boolean }) {
  return (
    <ul class="rows spec-list" aria-busy={isBusy}>
      {pages
        .flatMap(({ specs }) => specs)
        .map((spec) => (
          <SpecRow key={spec.id} spec={spec} />
        ))}
    </ul>
  )
}

function SpecRow({ spec }: { spec: Spec }) {
  const place = useRef<HTMLLIElement>(null)
  const isSeen = useInSight(place)
  const { project, specId, title, status, checklist, agent } = spec
  return (
    <li ref={place}>
      <Badge look={specLooks[status]} />
      <div class="what">
        <a class="title" href={href(['specs', project, specId])}>
          {title ?? specId}
        </a>
        <span class="facts">
          <span>{project}</span>
          <span>{specId}</span>
          {agent && <span>{agent}</span>}
        </span>
      </div>
      <Checklist checklist={checklist} />
      <NewestWork spec={spec} isWanted={isSeen} />
    </li>
  )
}
