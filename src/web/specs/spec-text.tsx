import { Markdown } from '../runs/log.tsx'
import { useSettled } from '../ui/search-field.tsx'

const typingMs = 250
const example = '# Log in with a passkey\n\n- [ ] A button on the login page\n- [ ] A test that fails without it'

interface Props {
  content: string
  onInput: (content: string) => void
  isRequired?: boolean
  isReadOnly?: boolean
}

/** The Markdown of a spec with a preview beside it. */
export function SpecText({ content, onInput, isRequired = false, isReadOnly = false }: Props) {
  const preview = useSettled(content, typingMs)
  return (
    <div class="sides">
      <label class="field">
        Text, as Markdown; each “- [ ]” item is part of the checklist
        <textarea
          rows={22}
          value={content}
          required={isRequired}
          readOnly={isReadOnly}
          placeholder={example}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      </label>
      <section aria-labelledby="preview">
        <h2 id="preview">Preview</h2>
        {preview.trim() === '' ? <p class="muted">Nothing written yet.</p> : <Markdown text={preview} />}
      </section>
    </div>
  )
}
