import { When } from './ago.tsx'

/** Says when texts of a thing were erased, if they were. */
export function ErasedAt({ at }: { at: string | undefined }) {
  if (at === undefined) return null
  return (
    <span class="muted">
      texts erased <When at={at} />
    </span>
  )
}
