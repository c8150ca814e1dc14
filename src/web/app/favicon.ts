const size = 64

/** Shows the mark of Conduct in the tab, with a number on it where there is one. */
export function showCount(count: number): void {
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]')
  if (!link) return
  link.type = count > 0 ? 'image/png' : 'image/svg+xml'
  link.href = count > 0 ? drawn(count > 99 ? '99' : String(count)) : './favicon.svg'
}

function drawn(text: string): string {
  const canvas = document.createElement('canvas')
  canvas.width = size
  canvas.height = size
  const pen = canvas.getContext('2d')
  if (!pen) return './favicon.svg'
  pen.fillStyle = '#b3261e'
  pen.roundRect(0, 0, size, size, 16)
  pen.fill()
  pen.fillStyle = '#ffffff'
  pen.font = `700 ${text.length > 1 ? 40 : 48}px system-ui, sans-serif`
  pen.textAlign = 'center'
  pen.textBaseline = 'middle'
  pen.fillText(text, size / 2, size / 2 + 3)
  return canvas.toDataURL()
}
