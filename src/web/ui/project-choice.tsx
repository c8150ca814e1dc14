interface Props {
  label: string
  projects: readonly { slug: string; name: string }[]
  chosen: string
  onChoose(slug: string): void
  /** What choosing none means; undefined where a project must be chosen. */
  none?: string | undefined
  disabled?: boolean
}

/** A field in which a project is chosen. */
export function ProjectChoice({ label, projects, chosen, onChoose, none, disabled = false }: Props) {
  return (
    <label class="field">
      {label}
      <select value={chosen} disabled={disabled} onChange={(event) => onChoose(event.currentTarget.value)}>
        {none !== undefined && <option value="">{none}</option>}
        {projects.map(({ slug, name }) => (
          <option key={slug} value={slug}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}
