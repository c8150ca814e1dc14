/** What a text must not hide: control characters, those that turn its direction, and spaces without width. */
const hidden = /((?![\n\t])[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\u200b\ufeff])/u

/** A command or the target of a tool, with every character that would be invisible as its code. */
export function Visible({ text }: { text: string }) {
  return text.split(hidden).map((part, index) =>
    index % 2 === 1 ? (
      <i key={index} class="control">
        {codeOf(part)}
      </i>
    ) : (
      part
    ),
  )
}

const codeOf = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
