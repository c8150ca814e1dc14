import { href, type Route } from '../app/router.ts'

interface Props {
  label: string
  views: Record<string, string>
  /** The view without a name in the address; by default the first one. */
  usual?: string
  view: string
  route: Route
}

/** Links that switch between views of a page. The view is part of the address. */
export function Tabs({ label, views, usual = Object.keys(views)[0], view, route }: Props) {
  return (
    <nav class="tabs" aria-label={label}>
      {Object.entries(views).map(([name, word]) => (
        <a
          key={name}
          href={href(route.path, { view: name === usual ? undefined : name })}
          aria-current={name === view ? 'true' : undefined}
        >
          {word}
        </a>
      ))}
    </nav>
  )
}
