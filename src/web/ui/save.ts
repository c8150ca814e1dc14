/** Lets the browser download a file with these pieces of text. */
export function saveFile(name: string, type: string, pieces: string[]): void {
  const address = URL.createObjectURL(new Blob(pieces, { type: `${type};charset=utf-8` }))
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  // Once the browser has started to read it.
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
}
