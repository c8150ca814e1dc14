import { href } from '../app/router.ts'
import { may, useSession } from '../data/query/session.ts'
import { newSpecAddress } from './spec-address.ts'
import { SpecRuns } from './spec-runs.tsx'

interface Props {
  project: string
  specId: string
}

export const SpecCrumbs = ({ project, specId }: Props) => (
  <nav class="crumbs" aria-label="Breadcrumb">
    <a href={href(['specs'])}>Specs</a> / <a href={href(['specs'], { project })}>{project}</a> / <span>{specId}</span>
  </nav>
)

/** A spec that only runs mention: nobody has written it yet. */
export function UnwrittenSpec({ project, specId }: Props) {
  return (
    <>
      <div class="empty">
        <p>
          Nobody has written the spec {specId} in project {project} yet. Runs can name a spec before it is written.
        </p>
        {may(useSession(), 'agent') && (
          <a class="button main" href={newSpecAddress(project, specId)}>
            Write this spec
          </a>
        )}
      </div>
      <section aria-labelledby="runs-naming-it">
        <h2 id="runs-naming-it">Runs that name it</h2>
        <SpecRuns project={project} specId={specId} />
      </section>
    </>
  )
}
