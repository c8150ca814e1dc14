import { Visible } from '../ui/text.tsx'

/** The path of a file that a run changed. Its folder gives way to its name. */
export function FileName({ path }: { path: string }) {
  const end = path.lastIndexOf('/') + 1
  return (
    <span class="path" title={path}>
      <span class="muted">
        <Visible text={path.slice(0, end)} />
      </span>
      <Visible text={path.slice(end)} />
    </span>
  )
}
