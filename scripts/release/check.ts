import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../../src/root.ts'
import { type Built, build } from './build.ts'
import { checkImage } from './container.ts'
import { checkPlugins } from './hosts.ts'
import { unset } from './names.ts'
import { type Env, quiet, run } from './run.ts'
import { smoke } from './smoke.ts'
import { has, missing } from './tools.ts'

// `npm run release:check` builds the artefacts of the last commit twice, in two clean clones, and uses each as somebody
// new would. `-- --keep FOLDER` keeps the artefacts, and `--publish` fails while a name has no owner. It exits with 1 if
// something is wrong or could not be checked.

const { values } = parseArgs({ options: { keep: { type: 'string' }, publish: { type: 'boolean', default: false } } })
const scratch = mkdtempSync(join(tmpdir(), 'conduct-release-'))
const pinned = { publint: 'publint@0.3.25', attw: '@arethetypeswrong/cli@0.18.5', pnpm: 'pnpm@12.21.0' }
/** Versions of Node.js, by their packages on npm. */
const nodes = { old: '20', pinned: '24', newest: '26' }
let isWhole = true

function say(state: 'ok' | 'FAIL' | 'unset', about: string, told = '') {
  if (state === 'FAIL') isWhole = false
  process.stdout.write(`${state.padEnd(5)}  ${about}${told && `: ${told}`}\n`)
}

/** Does one check, and reports it. A check whose tools are missing fails, and names them. */
async function check(about: string, work: () => Promise<unknown>, needs: Parameters<typeof missing> = []) {
  const lacking = missing(...needs)
  if (lacking.length > 0) return say('FAIL', about, lacking.join('; '))
  const began = performance.now()
  try {
    const told = await work()
    say(
      'ok',
      about,
      [...(typeof told === 'string' ? [told] : []), `${((performance.now() - began) / 1000).toFixed(0)} s`].join(', '),
    )
  } catch (error) {
    say('FAIL', about, (error as Error).message)
  }
}

async function clone(name: string): Promise<string> {
  const folder = join(scratch, name)
  await run(scratch, process.env, 'git', 'clone', '--quiet', '--no-local', root, folder)
  return folder
}

/** A folder with the `node` of that version. */
async function nodeOf(version: string): Promise<string> {
  const folder = join(scratch, `node-${version}`)
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "allowScripts": { "node": true } }')
  await run(folder, process.env, 'npm', 'install', ...quiet, `node@${version}`)
  return join(folder, 'node_modules/node/bin')
}

/** Installs the tarball by the command of the documentation, into a folder of its own. Returns that of the commands. */
async function installed(tarball: string, prefix: string): Promise<string> {
  const env: Env = { ...process.env, NPM_CONFIG_PREFIX: join(scratch, prefix) }
  await run(dirname(tarball), env, 'sh', '-c', documented(/npm install --global .*\.tgz/))
  return join(scratch, prefix, 'bin')
}

/** The command in a block of its own on the page about installing. */
function documented(command: RegExp): string {
  const page = readFileSync(join(root, 'docs/installing.md'), 'utf8')
  return (
    new RegExp(`^\`\`\`console\\n(${command.source})\\n\`\`\`$`, 'm').exec(page)?.[1] ?? assert.fail(`no ${command}`)
  )
}

async function checkTarball(tarball: string) {
  const npx = (...words: string[]) => run(scratch, process.env, 'npx', '--yes', ...words)
  await check('publint', () => npx(pinned.publint, tarball, '--strict').then(() => {}))
  // The package has only ES modules.
  await check('are the types wrong', () => npx(pinned.attw, tarball, '--profile', 'esm-only').then(() => {}))
  const bin = await installed(tarball, 'global')
  for (const version of [nodes.pinned, nodes.newest]) {
    await check(`npm on Node.js ${version}`, async () => smoke({ path: [await nodeOf(version), bin] }))
  }
  await check(`npm on Node.js ${nodes.old}`, async () => {
    const node = join(await nodeOf(nodes.old), 'node')
    // Conduct sets this once it has looked for a newer Node.js.
    const env = { ...process.env, CONDUCT_RESTARTED: '1' }
    const started = run(scratch, env, node, join(bin, 'conduct'), '--version')
    await assert.rejects(started, /conduct needs Node\.js 24\.15 or newer/)
    return 'a clear error'
  })
  await check('pnpm', async () => {
    const folder = join(scratch, 'with-pnpm')
    mkdirSync(folder)
    writeFileSync(join(folder, 'package.json'), '{ "private": true }')
    await run(folder, process.env, 'npx', '--yes', pinned.pnpm, 'add', tarball)
    await smoke({
      path: [join(scratch, `node-${nodes.pinned}/node_modules/node/bin`), join(folder, 'node_modules/.bin')],
    })
  })
}

async function checkBuilt({ tarball, image, imageName }: Built, source: string) {
  await checkTarball(tarball)
  await check('the clone', async () => {
    const prefix = join(scratch, 'linked')
    await run(
      source,
      { ...process.env, NPM_CONFIG_PREFIX: prefix },
      'sh',
      '-c',
      documented(/npm install && .*npm link/),
    )
    await smoke({ path: [join(prefix, 'bin'), join(source, 'node_modules/.bin')] })
  })
  await check('size of the image', async () => {
    const megabytes = statSync(String(image)).size / 1e6
    assert.ok(megabytes <= 75, `${megabytes.toFixed(1)} MB`)
    return `${megabytes.toFixed(1)} MB`
  }, ['apt-get', 'dpkg-deb', 'buildah'])
  await check(
    'the image',
    () =>
      checkImage(String(image), imageName, scratch, [
        join(scratch, `node-${nodes.pinned}/node_modules/node/bin`),
        join(scratch, 'global/bin'),
      ]),
    ['apt-get', 'dpkg-deb', 'buildah', 'podman'],
  )
  await check('plugins', () => checkPlugins(source, scratch))
}

try {
  const changed = await run(root, process.env, 'git', 'status', '--porcelain')
  if (changed !== '') process.stdout.write('note   this checks the last commit, without your changes since\n')
  for (const name of unset())
    say(values.publish ? 'FAIL' : 'unset', name, 'it has no owner yet, so nothing can be published there')
  const out = values.keep ?? join(scratch, 'first')
  const source = await clone('one')
  const built = await build(source, out, join(scratch, 'one-scratch'))
  await check(
    'built twice, byte by byte the same',
    async () => {
      await build(await clone('another-clone'), join(scratch, 'second'), join(scratch, 'another-scratch'))
      const [first, second] = [out, join(scratch, 'second')].map((folder) =>
        readFileSync(join(folder, 'SHA256SUMS'), 'utf8'),
      )
      assert.equal(first, second)
      return `${first?.trim().split('\n').length} artefacts`
    },
    has('buildah') ? [] : ['buildah'],
  )
  await checkBuilt(built, source)
} finally {
  rmSync(scratch, { recursive: true, force: true, maxRetries: 5 })
}
process.exitCode = isWhole ? 0 : 1
