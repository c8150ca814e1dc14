export interface Message {
  id?: string
  /** The place at which the stream begins. */
  after?: string
  data?: string
}

/** Where lines end. The CR at the end of a piece may be half of a CRLF. */
const lineEnd = /\r\n|\n|\r(?!$)/

/**
 * Reads server-sent events (html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream). The returned
 * function takes the next piece of a stream, and returns the messages that end in it; a comment is a message without fields.
 */
export function createMessageReader(): (piece: string) => Message[] {
  let rest = ''
  let lines: string[] = []
  return (piece) => {
    const messages: Message[] = []
    const read = (rest + piece).split(lineEnd)
    rest = read.pop() ?? ''
    for (const line of read) {
      if (line !== '') lines.push(line)
      else {
        messages.push(messageOf(lines))
        lines = []
      }
    }
    return messages
  }
}

function messageOf(lines: readonly string[]): Message {
  const fields: Record<string, string> = {}
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? []
    if (name === 'data' && fields.data !== undefined) fields.data += `\n${value}`
    else if (name === 'id' || name === 'after' || name === 'data') fields[name] = value
  }
  return fields
}
