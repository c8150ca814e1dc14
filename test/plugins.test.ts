import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pluginFiles, withNames } from '../scripts/plugins.ts'
import { type Names, unset } from '../scripts/release/names.ts'
import { skills } from '../scripts/skills.ts'
import { withHooks } from '../src/cli/init/entry.ts'
import { hookLine } from '../src/cli/init/project-files.ts'
import { fieldsOf } from '../src/recorder/agents/fields.ts'
import { installs } from '../src/recorder/agents/install.ts'
import { root } from '../src/root.ts'
import { documentsOf, hook, onlyRun, syncAll, workplace } from './cli/session.ts'

const read = (path: string) => readFileSync(join(root, path), 'utf8')
const files = pluginFiles()

/** All names as they could be, to see what they change. */
const owned: Names = {
  repository: 'https://github.com/ada/conduct',
  npm: 'conduct-ledger',
  image: 'ghcr.io/ada/conduct',
  marketplace: 'ada/conduct',
  mcp: 'io.github.ada/conduct',
}

test('the generated files are up to date', () => {
  for (const [path, text] of Object.entries(files)) {
    assert.ok(existsSync(join(root, path)) && read(path) === text, `${path} is stale: run npm run generate`)
  }
  const there = readdirSync(join(root, 'plugins'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(root, join(parentPath, name)))
  assert.deepEqual(
    there.filter((path) => !(path in files)),
    [],
  )
  assert.ok(existsSync(join(root, 'server.json')) === 'server.json' in files)
})

test('package.json has the names that have an owner, and no others', () => {
  const manifest = JSON.parse(read('package.json'))
  assert.deepEqual(withNames(manifest), manifest)
  assert.deepEqual(withNames(withNames(manifest, owned)), manifest)
  const { repository, bugs, mcpName } = withNames(manifest, owned)
  assert.deepEqual(repository, { type: 'git', url: 'git+https://github.com/ada/conduct.git' })
  assert.deepEqual([bugs, mcpName], ['https://github.com/ada/conduct/issues', 'io.github.ada/conduct'])
})

test('server.json exists once the package and its name in the registry do', () => {
  assert.ok(!('server.json' in pluginFiles({ ...owned, npm: null })))
  const entry = fieldsOf(JSON.parse(String(pluginFiles(owned)['server.json'])))
  assert.equal(entry.name, owned.mcp)
  // The registry refuses longer ones.
  assert.ok(String(entry.description).length <= 100)
})

test('a missing name is named', () => {
  assert.deepEqual(unset(owned), [])
  assert.deepEqual(unset({ ...owned, image: null, mcp: null }), ['image', 'mcp'])
})

test('every manifest has the version of the package', () => {
  const { version } = JSON.parse(read('package.json'))
  const manifests = Object.keys(files).filter((path) => /(plugin|extension)\.json$/.test(path))
  assert.equal(manifests.length, 5)
  for (const path of manifests) assert.equal(JSON.parse(String(files[path])).version, version, path)
})

test('the manifests of closed schemas have no other field', () => {
  const closed = ['name', 'version', 'description', 'author', 'homepage', 'repository', 'license', 'keywords']
  const all = pluginFiles(owned)
  const fieldsIn = (path: string) => Object.keys(JSON.parse(String(all[path]))).filter((key) => !closed.includes(key))
  assert.deepEqual(fieldsIn('plugins/cursor/.cursor-plugin/plugin.json'), [])
  assert.deepEqual(fieldsIn('plugins/portable/plugin.json'), ['$schema'])
  assert.deepEqual(fieldsIn('plugins/portable/mcp.json'), ['$schema', 'mcpServers'])
})

test('each catalog lists a plugin that is there', () => {
  for (const path of Object.keys(files).filter((path) => path.endsWith('marketplace.json'))) {
    const [listed] = JSON.parse(String(files[path])).plugins
    const folder = typeof listed.source === 'string' ? listed.source : listed.source.path
    const manifest = Object.keys(files).find(
      (file) => file.startsWith(`${folder.slice(2)}/.`) && file.endsWith('plugin.json'),
    )
    assert.equal(JSON.parse(String(files[manifest ?? ''])).name, listed.name, path)
  }
})

test('a skill has the name of its folder and a short description', () => {
  for (const [path, text] of Object.entries(files).filter(([path]) => path.endsWith('SKILL.md'))) {
    const [, name = '', description = ''] = /^---\nname: (\S+)\ndescription: (.+)\n---\n/.exec(text) ?? []
    assert.equal(name, dirname(path).split('/').at(-1))
    assert.match(name, /^[a-z0-9]+(-[a-z0-9]+)*$/)
    // A colon with a space would end the YAML string.
    assert.ok(description.length <= 1024 && !/: | #/.test(description), path)
  }
  assert.deepEqual(Object.keys(skills).length, 2)
})

for (const { name, hooks } of installs) {
  const path = `plugins/${name}/hooks/hooks.json`
  if (!('events' in hooks) || !(path in files)) continue
  test(`the plugin of ${name} has the hooks that conduct init writes`, () => {
    assert.deepEqual(
      JSON.parse(String(files[path])),
      JSON.parse(withHooks(undefined, name, hooks, hookLine(name, hooks, true)) ?? ''),
    )
  })
}

/** What a session leaves in the ledger if each of its documents reaches that many hooks. */
async function recorded(t: TestContext, name: string, times: number) {
  const user = workplace(t)
  const { env, folder, cwd } = user
  for (const document of documentsOf(name, { folder, cwd })) {
    // A document that comes again within two seconds counts once, however slow the machine is.
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
    await Promise.all(Array.from({ length: times }, () => hook(name, document, env)))
    t.mock.timers.reset()
  }
  await syncAll(env)
  const { title, status, content, usage } = await onlyRun(user)
  return { title, status, usage, content: content.replace(/, [\d.]+ m?s\b/g, '') }
}

for (const name of ['claude', 'codex', 'cursor']) {
  test(`a session of ${name} with the hooks of a plugin and of conduct init is recorded once`, async (t) => {
    assert.deepEqual(await recorded(t, name, 2), await recorded(t, name, 1))
  })
}
