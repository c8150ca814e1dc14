import { Lexer, type Token, Tokenizer, type Tokens, type TokensList } from 'marked'

/** The most characters to parse as Markdown. The rest is shown as plain text. */
const mostText = 131_072
/** The deepest nesting of quotes, lists and emphasis. Deeper text is shown as it is. */
const mostDepth = 24
/** The most characters of a quote, because marked reads it again for each unmarked line that continues it. */
const mostQuote = 4096
/** The most characters of a paragraph to parse for emphasis, links and code. */
const mostInline = 10_000
/** In the worst case that takes quadratic time. This is the budget for one text. */
const mostWork = 3e8
/** The budget of characters for paragraphs, lists and quotes, which are read again for each level of nesting. */
const mostRead = 16 * mostText

interface Markdown {
  tokens: Token[]
  /** Text that was not parsed because it is too long or cannot be. */
  rest: string
}

/** The tokens of an untrusted text, in bounded time and depth. */
export function markdownOf(text: string): Markdown {
  const end = text.length <= mostText ? text.length : text.lastIndexOf('\n', mostText) + 1 || mostText
  try {
    return {
      tokens: new BoundedLexer({ gfm: true, tokenizer: new BoundedTokenizer() }).lex(text.slice(0, end)),
      rest: text.slice(end),
    }
  } catch {
    return { tokens: [], rest: text }
  }
}

class BoundedTokenizer extends Tokenizer {
  override blockquote(src: string): Tokens.Blockquote | undefined {
    const raw = this.rules.block.blockquote.exec(src)?.[0]
    if (raw === undefined || raw.length <= mostQuote) return super.blockquote(src)
    return { type: 'blockquote', raw, text: raw, tokens: asItIs(raw, []) }
  }
}

class BoundedLexer extends Lexer {
  private depth = 0
  private work = 0
  private read = 0

  override blockTokens(src: string, tokens?: Token[], isLast?: boolean): Token[]
  override blockTokens(src: string, tokens?: TokensList, isLast?: boolean): TokensList
  override blockTokens(src: string, tokens: Token[] = [], isLast?: boolean): Token[] {
    this.read += src.length
    if (this.read > mostRead) return asItIs(src, tokens)
    return this.deeper(src, tokens, () => super.blockTokens(src, tokens, isLast))
  }

  override inlineTokens(src: string, tokens: Token[] = []): Token[] {
    this.work += src.length ** 2
    if (src.length > mostInline || this.work > mostWork) return asItIs(src, tokens)
    return this.deeper(src, tokens, () => super.inlineTokens(src, tokens))
  }

  private deeper(src: string, tokens: Token[], work: () => Token[]): Token[] {
    if (this.depth >= mostDepth) return asItIs(src, tokens)
    this.depth++
    try {
      return work()
    } finally {
      this.depth--
    }
  }
}

function asItIs(src: string, tokens: Token[]): Token[] {
  tokens.push({ type: 'text', raw: src, text: src })
  return tokens
}
