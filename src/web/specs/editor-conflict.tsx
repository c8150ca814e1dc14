import { useEffect, useRef } from 'preact/hooks'
import { lazy } from '../ui/loading.tsx'
import { actorText } from '../ui/words.ts'
import type { FullSpec } from './spec-editor.tsx'

const Difference = lazy(() => import('./difference.tsx'))

interface Props {
  /** What someone else has saved meanwhile. */
  newer: FullSpec
  /** The text in the editor. */
  content: string
  isBusy: boolean
  onKeepMine: () => void
  onTakeTheirs: () => void
}

/** Two people edited a spec at once: shows how their texts differ, and offers both ways out. */
export function EditorConflict({ newer, content, isBusy, onKeepMine, onTakeTheirs }: Props) {
  const place = useRef<HTMLDivElement>(null)
  // It appears above the editor, whose button the user has just pressed.
  useEffect(() => place.current?.scrollIntoView({ block: 'start' }), [newer.version])
  return (
    <div class="conflict" role="alert" ref={place}>
      <p>
        <b>{actorText(newer.updatedBy)}</b> saved version {newer.version} while you edited. This is how your text
        differs from it:
      </p>
      <Difference before={newer.content} after={content} />
      <div class="row">
        <button type="button" class="main" disabled={isBusy} onClick={onKeepMine}>
          Save mine over version {newer.version}
        </button>
        <button type="button" disabled={isBusy} onClick={onTakeTheirs}>
          Discard mine and edit version {newer.version}
        </button>
      </div>
      <p class="muted small">Version {newer.version} stays in the list of versions either way.</p>
    </div>
  )
}
