import { useState } from 'preact/hooks'
import { goQuery, type Route } from '../app/router.ts'
import { useKept } from '../data/browser/storage.ts'
import { forgetView, saveView, views } from '../data/lists/views.ts'
import { Form } from '../ui/form.tsx'
import { Icon } from '../ui/icon.tsx'
import { Menu } from '../ui/menu.tsx'

/** The views saved in this browser. A view is an address, so it can also be sent to others. */
export function ViewMenu({ route }: { route: Route }) {
  const kept = useKept(views)
  const [isNaming, setNaming] = useState(false)
  return (
    <>
      <Menu label="Views" isAtEnd>
        {kept.map(({ name, query }) => (
          <div key={name} class="row view">
            <a href={`#/runs?${query}`}>{name}</a>
            <button type="button" class="plain" title="Delete view" onClick={() => forgetView(name)}>
              <Icon name="close" />
              <span class="unseen">Delete view {name}</span>
            </button>
          </div>
        ))}
        {kept.length === 0 && <p class="muted small note">A view keeps filters, words and order under a name.</p>}
        <button type="button" onClick={() => setNaming(true)}>
          Save this view
        </button>
      </Menu>
      {isNaming && <NameForm route={route} onClose={() => setNaming(false)} />}
    </>
  )
}

function NameForm({ route, onClose }: { route: Route; onClose: () => void }) {
  const [name, setName] = useState(route.query.get('view') ?? '')
  const work = async () => {
    const query = new URLSearchParams(route.query)
    query.set('view', name.trim())
    saveView({ name: name.trim(), query: query.toString() })
    goQuery(route, { view: name.trim() }, { replace: true })
  }
  return (
    <Form title="Save this view" deed="Save view" work={work} onClose={onClose}>
      <label class="field">
        Name
        <input
          value={name}
          required
          maxLength={60}
          pattern=".*\S.*"
          placeholder="Failed nightly runs"
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <p class="muted small">
        The view is kept in this browser. Its address carries the filters and the name, so you can also send it to
        others.
      </p>
    </Form>
  )
}
