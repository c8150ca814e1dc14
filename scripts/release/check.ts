import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../../src/root.ts'
import { type Built, build } from './build.ts'
import { checkImage } from './container.ts'
import { checkPlugins } from './hosts.ts'
import { unset } from './names.ts'
import { quiet, run } from './run.ts'
import { smoke } from './smoke.ts'
import { missing, type Tool } from './tools.ts'

// `npm run release:check` builds the artefacts of the last commit twice, in two clean clones, and uses each as somebody
// new would. `-- --keep FOLDER` keeps the artefacts, and `--publish` fails while a name has no owner. It exits with 1 if
// something is wrong or could not be checked.

const { values } = parseArgs({ options: { keep: { type: 'string' }, publish: { type: 'boolean', default: false } } })
const scratch = mkdtempSync(join(tmpdir(), 'conduct-release-'))
const pinned = { publint: 'publint@0.3.25', attw: '@arethetypeswrong/cli@0.18.5', pnpm: 'pnpm@12.21.0' }
let isWhole = true

function say(state: 'ok' | 'FAIL' | 'unset', about: string, told = '') {
  if (state === 'FAIL') isWhole = false
  process.stdout.write(`${state.padEnd(5)}  ${about}${told && `: ${told}`}\n`)
}

/** Does one check, and reports it. A check whose tools are missing fails, and names them. */
async function check(about: string, work: () => Promise<unknown>, needs: Tool[] = []) {
  const lacking = missing(...needs)
  if (lacking.length > 0) return say('FAIL', about, lacking.join('; '))
  const began = performance.now()
  try {
    const told = await work()
    const seconds = `${((performance.now() - began) / 1000).toFixed(0)} s`
    say('ok', about, typeof told === 'string' ? `${told}, ${seconds}` : seconds)
  } catch (error) {
    say('FAIL', about, (error as Error).message)
  }
}

async function clone(name: string): Promise<string> {
  const folder = join(scratch, name)
  await run(scratch, process.env, 'git', 'clone', '--quiet', '--no-local', root, folder)
  return folder
}

/** Installs that version of Node.js, and returns the folder of its program. */
async function nodeOf(version: string): Promise<string> {
  const folder = join(scratch, `node-${version}`)
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "allowScripts": { "node": true } }')
  await run(folder, process.env, 'npm', 'install', ...quiet, `node@${version}`)
  return join(folder, 'node_modules/node/bin')
}

/** Runs the command that stands in a block of its own on the page about installing. Returns the folder of `conduct`. */
async function byTheBook(folder: string, command: RegExp): Promise<string> {
  const page = readFileSync(join(root, 'docs/installing.md'), 'utf8')
  const [, line] = new RegExp(`^\`\`\`console\\n(${command.source})\\n\`\`\`$`, 'm').exec(page) ?? []
  const prefix = mkdtempSync(join(scratch, 'prefix-'))
  await run(folder, { ...process.env, NPM_CONFIG_PREFIX: prefix }, 'sh', '-c', line ?? assert.fail(`no ${command}`))
  return join(prefix, 'bin')
}

async function checkPackage(tarball: string, source: string) {
  const npx = (...words: string[]) => run(scratch, process.env, 'npx', '--yes', ...words)
  await check('publint', () => npx(pinned.publint, tarball, '--strict').then(() => {}))
  // The package has only ES modules.
  await check('are the types wrong', () => npx(pinned.attw, tarball, '--profile', 'esm-only').then(() => {}))
  const [node, newest, old] = [await nodeOf('24'), await nodeOf('26'), await nodeOf('20')]
  const bin = await byTheBook(dirname(tarball), /npm install --global .*\.tgz/)
  await check('npm on Node.js 24', () => smoke({ path: [node, bin] }))
  await check('npm on Node.js 26', () => smoke({ path: [newest, bin] }))
  await check('npm on Node.js 20', async () => {
    // Conduct sets this once it has looked for a newer Node.js.
    const env = { ...process.env, CONDUCT_RESTARTED: '1' }
    const started = run(scratch, env, join(old, 'node'), join(bin, 'conduct'), '--version')
    await assert.rejects(started, /conduct needs Node\.js 24\.15 or newer/)
    return 'a clear error'
  })
  await check('pnpm', async () => {
    const folder = mkdtempSync(join(scratch, 'pnpm-'))
    writeFileSync(join(folder, 'package.json'), '{ "private": true }')
    await run(folder, process.env, 'npx', '--yes', pinned.pnpm, 'add', tarball)
    await smoke({ path: [node, join(folder, 'node_modules/.bin')] })
  })
  await check('the clone', async () => {
    await smoke({ path: [await byTheBook(source, /npm install && .*npm link/), join(source, 'node_modules/.bin')] })
  })
  return [node, bin]
}

async function checkImages({ image, imageName }: Built, path: string[]) {
  const toBuild: Tool[] = ['apt-get', 'dpkg-deb', 'buildah']
  const size = async () => {
    const megabytes = statSync(String(image)).size / 1e6
    assert.ok(megabytes <= 75, `${megabytes.toFixed(1)} MB`)
    return `${megabytes.toFixed(1)} MB`
  }
  await check('size of the image', size, toBuild)
  await check('the image', () => checkImage(String(image), imageName, scratch, path), [...toBuild, 'podman'])
}

/** Builds another clone, in a folder whose name has another length. */
async function buildAgain(out: string): Promise<string> {
  const again = join(scratch, 'again')
  await build(await clone('another-clone'), again, join(scratch, 'another-scratch'))
  const [first = '', second] = [out, again].map((folder) => readFileSync(join(folder, 'SHA256SUMS'), 'utf8'))
  assert.equal(second, first)
  return `${first.trim().split('\n').length} artefacts`
}

try {
  const changed = await run(root, process.env, 'git', 'status', '--porcelain')
  if (changed !== '') process.stdout.write('note   this checks the last commit, without your changes since\n')
  for (const name of unset())
    say(values.publish ? 'FAIL' : 'unset', name, 'it has no owner yet, so nothing can be published there')
  const out = resolve(values.keep ?? join(scratch, 'first'))
  const source = await clone('one')
  const built = await build(source, out, join(scratch, 'one-scratch'))
  await check('built twice, byte by byte the same', () => buildAgain(out))
  await checkImages(built, await checkPackage(built.tarball, source))
  await check('plugins', () => checkPlugins(source, scratch))
} finally {
  rmSync(scratch, { recursive: true, force: true, maxRetries: 5 })
}
process.exitCode = isWhole ? 0 : 1
