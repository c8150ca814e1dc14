import { Field } from './field.tsx'

interface Props {
  label: string
  projects: readonly { slug: string; name: string }[]
  chosen: string
  onChoose(slug: string): void
  /** The label for choosing no project; undefined if one is required. */
  none?: string | undefined
  disabled?: boolean
}

/** A field for choosing a project. */
export function ProjectChoice({ label, projects, chosen, onChoose, none, disabled = false }: Props) {
  return (
    <Field name="project" label={label}>
      <select value={chosen} disabled={disabled} onChange={(event) => onChoose(event.currentTarget.value)}>
        {none !== undefined && <option value="">{none}</option>}
        {projects.map(({ slug, name }) => (
          <option key={slug} value={slug}>
            {name}
          </option>
        ))}
      </select>
    </Field>
  )
}
