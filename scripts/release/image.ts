import { copyFileSync, cpSync, globSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../../src/root.ts'
import { type Env, quiet, run } from './run.ts'
import type { Component } from './sbom.ts'

/** The packages of Debian whose libraries Node.js loads. */
const libraries = ['libc6', 'libgcc-s1', 'libstdc++6']
/** Files of these packages that no program of the image opens. */
const unused = [
  'usr/lib/*/gconv',
  'usr/share/gcc',
  'usr/share/gdb',
  'usr/share/lintian',
  'usr/lib/*/libc_malloc_debug*',
]

interface Context {
  /** A checkout with its `node_modules`. */
  source: string
  tarball: string
  folder: string
  env: Env
}

/** Fills a folder from which the image with only the program can be built, on a base that has Node.js. */
export async function programContext({ source, tarball, folder, env }: Context) {
  process.umask(0o022)
  rmSync(folder, { recursive: true, force: true })
  const program = join(folder, 'root/opt/conduct')
  for (const path of [program, join(folder, 'data'), join(folder, 'root/usr/local/bin')])
    mkdirSync(path, { recursive: true })
  await run(folder, env, 'tar', '-xzf', resolve(tarball), '--strip-components=1', '--no-same-owner', '-C', program)
  copyFileSync(join(source, 'package-lock.json'), join(program, 'package-lock.json'))
  await run(program, env, 'npm', 'ci', '--omit=dev', '--ignore-scripts', ...quiet)
  for (const lock of ['package-lock.json', 'node_modules/.package-lock.json'])
    rmSync(join(program, lock), { force: true })
  const start = "#!/usr/local/bin/node\nrequire('/opt/conduct/bin/conduct.cjs')\n"
  writeFileSync(join(folder, 'root/usr/local/bin/conduct'), start, { mode: 0o755 })
  copyFileSync(join(source, 'deploy/image/Containerfile'), join(folder, 'Containerfile'))
}

/** Adds Node.js from npm and its libraries from Debian, so that the image needs no base. Returns them for the SBOM. */
export async function addSystem({ source, folder, env }: Context): Promise<Component[]> {
  const system = join(folder, 'root')
  const packages = join(folder, 'packages')
  mkdirSync(packages)
  await run(packages, env, 'apt-get', 'download', ...libraries)
  const found: Component[] = []
  for (const file of globSync('*.deb', { cwd: packages }).sort()) {
    const path = join(packages, file)
    const fields = await run(packages, env, 'dpkg-deb', '--field', path)
    const [name, version, architecture] = ['Package', 'Version', 'Architecture'].map((field) => fieldOf(fields, field))
    await run(packages, env, 'dpkg-deb', '--extract', path, system)
    // Scanners of images find the packages here.
    const status = join(system, 'var/lib/dpkg/status.d')
    mkdirSync(status, { recursive: true })
    writeFileSync(join(status, String(name)), fields)
    found.push(component(String(name), String(version), 'deb/debian', `?arch=${architecture}`))
  }
  rmSync(packages, { recursive: true })
  for (const path of globSync(unused, { cwd: system })) rmSync(join(system, path), { recursive: true })
  for (const path of ['lib', 'lib64']) symlinkSync(`usr/${path}`, join(system, path))
  mkdirSync(join(system, 'tmp'), { mode: 0o1777 })
  writeFileSync(join(system, 'etc/passwd'), 'root:x:0:0::/:/\nconduct:x:65532:65532::/data:/\n')
  writeFileSync(join(system, 'etc/group'), 'root:x:0:\nconduct:x:65532:\n')
  const node = join(source, 'node_modules/node')
  cpSync(join(node, 'bin/node'), join(system, 'usr/local/bin/node'), { mode: 0 })
  const { version } = JSON.parse(readFileSync(join(node, 'package.json'), 'utf8')) as { version: string }
  return [...found, component('node', version, 'npm')]
}

const fieldOf = (fields: string, name: string) => new RegExp(`^${name}: (.+)$`, 'm').exec(fields)?.[1]

const component = (name: string, version: string, type: string, qualifiers = ''): Component => ({
  'bom-ref': `${name}@${version}`,
  type: 'library',
  name,
  version,
  purl: `pkg:${type}/${encodeURIComponent(name)}@${encodeURIComponent(version)}${qualifiers}`,
})

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'program-only': { type: 'boolean', default: false } },
  })
  const folder = resolve(positionals[0] ?? 'context')
  mkdirSync(folder, { recursive: true })
  const tarball = join(
    folder,
    '..',
    (await run(root, process.env, 'npm', 'pack', '--silent', '--pack-destination', join(folder, '..'))).trim(),
  )
  const context = { source: root, tarball, folder, env: process.env }
  await programContext(context)
  if (!values['program-only']) await addSystem(context)
  process.stdout.write(`Build the image from ${folder}, for example: docker build -t localhost/conduct ${folder}\n`)
}
