const most = 3

/** The questions that an answer ends with: those in its last three paragraphs, outside of code, without Markdown. */
export function questionsOf(answer: string): string[] {
  const prose = answer
    .split('```')
    .filter((_, index) => index % 2 === 0)
    .join('\n\n')
  const end = prose
    .trim()
    .split(/\n[ \t]*\n/)
    .slice(-3)
    .join('\n')
  return end
    .split(/(?<=[.!?][*_"”)]{0,3})\s+|\n/)
    .map(plainOf)
    .filter((sentence) => sentence.endsWith('?'))
    .slice(-most)
}

/** A sentence without the marks of lists and emphasis around it. */
const plainOf = (sentence: string) =>
  sentence.replace(/^[\s>#*+-]*(?:\d{1,3}[.)]\s+)?[*_]{0,3}/, '').replace(/(?<![*_\s])[*_\s]+$/, '')
