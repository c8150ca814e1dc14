import { createHash } from 'node:crypto'
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
  const words = ['--sort=name', `--mtime=@${epoch}`, '--owner=0', '--group=0', '--numeric-owner', '--mode=u=rwX,go=rX']
  await run(source, env, 'tar', ...words, '-cf', join(scratch, 'plugins.tar'), ...plugins)
  keepGzipped(join(scratch, 'plugins.tar'), join(out, `conduct-plugins-${version}.tar.gz`))

  const imageName = `localhost/conduct:${version}`
  let image: string | undefined
  if (has('apt-get', 'dpkg-deb', 'buildah')) {
    const context = { source, tarball, folder: join(scratch, 'context'), env }
    await programContext(context)
    writeBom(`conduct-${version}-image.cdx.json`, 'conduct', await addSystem(context))
    image = join(out, `conduct-${version}-linux-${process.arch === 'x64' ? 'amd64' : process.arch}.image.tar.gz`)
    await buildImage(context.folder, scratch, imageName, epoch, env)
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
async function buildImage(context: string, scratch: string, name: string, epoch: string, env: Env) {
  const store = ['--root', join(scratch, 'store'), '--runroot', join(scratch, 'run'), '--storage-driver', 'vfs']
  const words = [
    '--isolation',
    'chroot',
    '--format',
    'docker',
    '--timestamp',
    epoch,
    '--tag',
    name,
    '--file',
    'Containerfile',
    '.',
  ]
  await run(context, env, 'buildah', ...store, 'build', ...words)
  await run(context, env, 'buildah', ...store, 'push', name, `docker-archive:${join(scratch, 'image.tar')}:${name}`)
}

/** The header of gzip that Node.js writes has no time and no name. */
function keepGzipped(path: string, target: string) {
  writeFileSync(target, gzipSync(readFileSync(path), { level: 9 }))
  rmSync(path)
}

/** In the format of `sha256sum --check`. */
function sumsOf(folder: string): string {
  const lines = readdirSync(folder)
    .sort()
    .map(
      (name) =>
        `${createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex')}  ${name}\n`,
    )
  return lines.join('')
}

// `npm run release:build -- FOLDER`: the artefacts of this checkout.
if (import.meta.main) {
  const out = resolve(process.argv[2] ?? 'release')
  await build(root, out, `${out}.scratch`)
  rmSync(`${out}.scratch`, { recursive: true, force: true })
  process.stdout.write(readFileSync(join(out, 'SHA256SUMS')))
}
