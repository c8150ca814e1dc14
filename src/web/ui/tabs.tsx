import { href, type Route } from '../app/router.ts'

interface Props {
  label: string
  /** The views, the default one first. */
  views: Record<string, string>
  view: string
  route: Route
}

/** Links that switch between views of a page. The view is part of the address. */
export function Tabs({ label, views, view, route }: Props) {
  return (
    <nav class="tabs" aria-label={label}>
      {Object.entries(views).map(([name, word], index) => (
        <a
          key={name}
          href={href(route.path, { view: index === 0 ? undefined : name })}
          aria-current={name === view ? 'true' : undefined}
        >
          {word}
        </a>
      ))}
    </nav>
  )
}
