import { hash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { root } from '../../src/root.ts'
import { bundledIn, licenseFile } from '../licenses.ts'
import { addSystem, programContext } from './image.ts'
import { type Env, quiet, run } from './run.ts'
import { type Bom, type Component, sbomOf } from './sbom.ts'
import { has } from './tools.ts'

export interface Built {
  tarball: string
  /** The image as an archive that `docker load` and `podman load` read; undefined if a tool is missing. */
  image: string | undefined
  /** The name of the image in that archive. */
  imageName: string
}

/**
 * Builds all artefacts of a checkout into a folder, with their sums. The same checkout gives the same bytes: all times are
 * `SOURCE_DATE_EPOCH`, by default that of the commit.
 */
export async function build(source: string, out: string, scratch: string): Promise<Built> {
  for (const folder of [out, scratch]) {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
  }
  const epoch =
    process.env.SOURCE_DATE_EPOCH ?? (await run(source, process.env, 'git', 'log', '-1', '--format=%ct')).trim()
  const env: Env = { ...process.env, SOURCE_DATE_EPOCH: epoch, TZ: 'UTC', LC_ALL: 'C.UTF-8' }
  await run(source, env, 'npm', 'ci', ...quiet)
  const name =
    (await run(source, env, 'npm', 'pack', '--silent', '--pack-destination', out)).trim().split('\n').at(-1) ?? ''
  const tarball = join(out, name)
  const { version } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as { version: string }

  const bom = JSON.parse(await run(source, env, 'npm', 'sbom', '--package-lock-only', '--sbom-format=cyclonedx')) as Bom
  const contained = await containedIn(source, env)
  const writeBom = (path: string, name: string, more: Component[] = []) =>
    writeFileSync(join(out, path), `${JSON.stringify(sbomOf(bom, name, contained, more), null, 2)}\n`)
  writeBom(`conduct-ledger-${version}.cdx.json`, 'conduct-ledger')

  const plugins = ['plugins', '.claude-plugin', '.agents', '.cursor-plugin', 'LICENSE']
  await archive(source, env, join(scratch, 'plugins.tar'), plugins)
  keepGzipped(join(scratch, 'plugins.tar'), join(out, `conduct-plugins-${version}.tar.gz`))

  const imageName = `localhost/conduct:${version}`
  let image: string | undefined
  if (has('apt-get', 'dpkg-deb', 'buildah')) {
    const context = { source, tarball, folder: join(scratch, 'context'), env }
    await programContext(context)
    writeBom(`conduct-${version}-image.cdx.json`, 'conduct', await addSystem(context))
    image = join(out, `conduct-${version}-linux-${process.arch === 'x64' ? 'amd64' : process.arch}.image.tar.gz`)
    await buildImage(context.folder, scratch, imageName, env)
    keepGzipped(join(scratch, 'image.tar'), image)
  }
  writeFileSync(join(out, 'SHA256SUMS'), sumsOf(out))
  return { tarball, image, imageName }
}

/** What is in the package: what the builds bundled, and what npm installs beside it. */
async function containedIn(source: string, env: Env): Promise<string[]> {
  const files = ['dist', 'dist/web'].map((folder) => readFileSync(join(source, folder, licenseFile), 'utf8'))
  const beside = JSON.parse(
    await run(source, env, 'npm', 'sbom', '--package-lock-only', '--omit=dev', '--sbom-format=cyclonedx'),
  ) as Bom
  return [...new Set([...files.flatMap(bundledIn), ...beside.components.map(({ 'bom-ref': ref }) => ref)])].sort()
}

/** Builds the image without a daemon, in a store of its own. In the format of Docker, because OCI has no health checks. */
async function buildImage(context: string, scratch: string, name: string, env: Env) {
  const store = ['--root', join(scratch, 'store'), '--runroot', join(scratch, 'run'), '--storage-driver', 'vfs']
  const words = `--isolation chroot --format docker --timestamp ${env.SOURCE_DATE_EPOCH} --tag ${name} --file Containerfile .`
  await run(context, env, 'buildah', ...store, 'build', ...words.split(' '))
  const made = join(scratch, 'made.tar')
  await run(context, env, 'buildah', ...store, 'push', name, `docker-archive:${made}:${name}`)
  const folder = join(scratch, 'made')
  mkdirSync(folder)
  await run(folder, env, 'tar', '-xf', made)
  await archive(folder, env, join(scratch, 'image.tar'), withoutContainer(folder))
}

interface ImageConfig {
  container?: string
  container_config?: object
  config: { Hostname?: string }
}

/**
 * Removes from an unpacked image what buildah draws at random: the names of the container in which it was built. Returns
 * the files that remain.
 */
export function withoutContainer(folder: string): string[] {
  const read = (path: string) => readFileSync(join(folder, path), 'utf8')
  const [{ Config, RepoTags, Layers }] = JSON.parse(read('manifest.json')) as [
    { Config: string; RepoTags: string[]; Layers: string[] },
  ]
  const { container: _, container_config: __, ...image } = JSON.parse(read(Config)) as ImageConfig
  const { Hostname: ___, ...config } = image.config
  const text = JSON.stringify({ ...image, config })
  const name = `${hash('sha256', text)}.json`
  writeFileSync(join(folder, name), text)
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify([{ Config: name, RepoTags, Layers }]))
  return ['manifest.json', name, ...Layers]
}

/** Makes an archive of these files, with nothing in it that depends on when and by whom. */
async function archive(folder: string, env: Env, target: string, files: string[]) {
  const who = '--owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX'.split(' ')
  await run(folder, env, 'tar', '--sort=name', `--mtime=@${env.SOURCE_DATE_EPOCH}`, ...who, '-cf', target, ...files)
}

/** The header of gzip that Node.js writes has no time and no name. */
function keepGzipped(path: string, target: string) {
  writeFileSync(target, gzipSync(readFileSync(path)))
  rmSync(path)
}

/** In the format of `sha256sum --check`. */
function sumsOf(folder: string): string {
  const sumOf = (name: string) => hash('sha256', readFileSync(join(folder, name)))
  return readdirSync(folder)
    .sort()
    .map((name) => `${sumOf(name)}  ${name}\n`)
    .join('')
}

// `npm run release:build -- FOLDER`: the artefacts of this checkout.
if (import.meta.main) {
  const out = resolve(process.argv[2] ?? 'release')
  await build(root, out, `${out}.scratch`)
  rmSync(`${out}.scratch`, { recursive: true, force: true })
  process.stdout.write(readFileSync(join(out, 'SHA256SUMS')))
}
