const size = 64

const colours = { attention: '#b3261e', waiting: '#8a5600' }

/** Shows Conduct's logo in the tab, or a count in the colour of what it counts. */
export function showCount(count: number, of: keyof typeof colours): void {
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]')
  if (!link) return
  link.type = count > 0 ? 'image/png' : 'image/svg+xml'
  link.href = count > 0 ? drawn(count > 99 ? '99' : String(count), colours[of]) : './favicon.svg'
}

function drawn(text: string, colour: string): string {
  const canvas = document.createElement('canvas')
  canvas.width = size
  canvas.height = size
  const pen = canvas.getContext('2d')
  if (!pen) return './favicon.svg'
  pen.fillStyle = colour
  pen.roundRect(0, 0, size, size, 16)
  pen.fill()
  pen.fillStyle = '#ffffff'
  pen.font = `700 ${text.length > 1 ? 40 : 48}px system-ui, sans-serif`
  pen.textAlign = 'center'
  pen.textBaseline = 'middle'
  pen.fillText(text, size / 2, size / 2 + 3)
  return canvas.toDataURL()
}
