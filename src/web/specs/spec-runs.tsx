import { useList } from '../data/query/list.ts'
import { clientOf } from '../data/query/server.ts'
import { RunBriefs } from '../now/run-briefs.tsx'
import { Command } from '../ui/copy.tsx'

/** The runs of a spec, newest first, each with its attempt and the version of the spec it used. */
export function SpecRuns({ project, specId }: { project: string; specId: string }) {
  const list = useList(
    `runs of ${project}/${specId}`,
    async (page, options) => {
      const { runs, meta } = await clientOf(project).listSpecRuns({ specId, ...page }, options)
      return { items: runs, nextCursor: meta.nextCursor }
    },
    { touches: (event) => event.project === project && event.type.startsWith('run.'), restMs: 1000 },
  )
  return (
    <RunBriefs
      list={list}
      note={({ attempt, specVersion }) => `attempt ${attempt}${specVersion ? `, v${specVersion}` : ''}`}
    >
      <p>No runs of this spec yet. To start the first:</p>
      <Command text={`conduct exec --project ${project} --spec-id ${specId} -- claude -p 'Build ${specId}'`} />
    </RunBriefs>
  )
}
