import type { Output } from '../../client/client.ts'
import { dropDraft, keptDraft } from '../data/browser/draft.ts'

/** The version of a spec that a text was begun from. */
export type SpecBase = Pick<Output<'getSpec'>['spec'], 'id' | 'version' | 'title' | 'content'>

interface Edited {
  base: SpecBase
  title: string
  content: string
}

interface SpecName {
  project: string
  specId: string
}

/** The name of the draft of a spec that is edited. */
export const editOf = ({ project, specId }: SpecName) => `spec ${project}/${specId}`

export const begun = ({ id, version, title, content }: SpecBase): Edited => ({
  base: { id, version, title, content },
  title: title ?? '',
  content,
})

export const isEdited = (kept: unknown): kept is Edited => {
  const { base, title, content } = (kept ?? {}) as Partial<Edited>
  return typeof base?.version === 'number' && typeof title === 'string' && typeof content === 'string'
}

/** The text of a spec that this tab keeps since it was edited, for example because the spec was deleted meanwhile. */
export function unsavedText(spec: SpecName): string | undefined {
  const kept = keptDraft(editOf(spec))
  return isEdited(kept) ? kept.content : undefined
}

/** Forgets it, once it is written in another form or no longer wanted. */
export const dropUnsavedText = (spec: SpecName): void => dropDraft(editOf(spec))
