import type { MarkedToken, Token, Tokens } from 'marked'
import { Component, type ComponentChildren, createElement } from 'preact'
import { useMemo } from 'preact/hooks'
import { markdownOf } from './markdown.ts'
import { OuterLink } from './text.tsx'

/**
 * Markdown written by an agent, so hostile. Its tokens become elements one by one, and HTML in it is shown as text.
 * Nothing in it can run, load or leave its place.
 */
export default function Prose({ text }: { text: string }) {
  const { tokens, rest } = useMemo(() => markdownOf(text), [text])
  return (
    <div class="prose">
      {tokens.map((token, index) => (
        <Block key={index} token={token} />
      ))}
      {rest && (
        <>
          <p class="muted small">The text is too long to format. The rest is shown as it is:</p>
          <pre>{rest}</pre>
        </>
      )}
    </div>
  )
}

/**
 * A paragraph, list or table. It is drawn again only when its source changes, so a selection in a growing log survives.
 */
class Block extends Component<{ token: Token }> {
  override shouldComponentUpdate({ token }: { token: Token }) {
    return token.raw !== this.props.token.raw
  }

  render() {
    return elementOf(this.props.token)
  }
}

function elementsOf(tokens: Token[] | undefined): ComponentChildren {
  return tokens?.map((token) => elementOf(token))
}

/** The token types of marked are open for extensions; we use none. */
function elementOf(some: Token): ComponentChildren {
  const token = some as MarkedToken
  switch (token.type) {
    case 'heading':
      // Below the headings of the page itself.
      return createElement(`h${Math.min(6, token.depth + 2)}`, null, elementsOf(token.tokens))
    case 'paragraph':
      return <p>{elementsOf(token.tokens)}</p>
    case 'blockquote':
      return <blockquote>{elementsOf(token.tokens)}</blockquote>
    case 'code':
      return (
        <pre>
          <code>{token.text}</code>
        </pre>
      )
    case 'list':
      return <List list={token} />
    case 'table':
      return <Table table={token} />
    case 'hr':
      return <hr />
    case 'strong':
      return <strong>{elementsOf(token.tokens)}</strong>
    case 'em':
      return <em>{elementsOf(token.tokens)}</em>
    case 'del':
      return <del>{elementsOf(token.tokens)}</del>
    case 'codespan':
      return <code>{token.text}</code>
    case 'br':
      return <br />
    case 'link':
      return <OuterLink href={token.href}>{elementsOf(token.tokens)}</OuterLink>
    case 'image':
      return <Image image={token} />
    case 'text':
      return token.tokens ? elementsOf(token.tokens) : withoutEntities(token.text)
    case 'escape':
      return token.text
    case 'space':
    case 'def':
    case 'checkbox':
      return null
    default:
      return token.raw
  }
}

function List({ list }: { list: Tokens.List }) {
  const items = list.items.map((item, index) => (
    <li key={index} class={item.task ? 'task' : undefined}>
      {item.task && <span aria-hidden="true">{item.checked ? '☑' : '☐'}</span>}
      {item.task && <span class="unseen">{item.checked ? 'done: ' : 'to do: '}</span>}
      {elementsOf(item.tokens)}
    </li>
  ))
  return list.ordered ? (
    <ol dir="auto" start={list.start === '' ? undefined : list.start}>
      {items}
    </ol>
  ) : (
    <ul dir="auto">{items}</ul>
  )
}

function Table({ table: { header, rows } }: { table: Tokens.Table }) {
  return (
    <table>
      <thead>
        <tr>
          {header.map(({ tokens }, index) => (
            <th key={index} scope="col">
              {elementsOf(tokens)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((cells, row) => (
          <tr key={row}>
            {cells.map(({ tokens }, index) => (
              <td key={index}>{elementsOf(tokens)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** We do not load images: that would tell their host who reads what. A reader can follow the link. */
function Image({ image: { href, text } }: { image: Tokens.Image }) {
  return (
    <span class="image">
      Image{text && `: ${text}`} <OuterLink href={href}>{href}</OuterLink>
    </span>
  )
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' }

function withoutEntities(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,5}));/gi, (all, decimal, hex, name) => {
    if (name !== undefined) return entities[name] ?? all
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal)
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : all
  })
}
