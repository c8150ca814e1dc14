/** A path or address that breaks after its slashes rather than inside a name. */
export function Breakable({ text }: { text: string }) {
  return text.split(/(?<=\/)(?=[^/])/).map((part, index) => (
    <>
      {index > 0 && <wbr />}
      {part}
    </>
  ))
}
