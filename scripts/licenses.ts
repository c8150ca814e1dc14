import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'vite'

/** Where a build writes the licenses of the packages in it. */
export const licenseFile = 'THIRD-PARTY-LICENSES.txt'

/** Writes the licenses of all bundled packages. */
export function licenses(): Plugin {
  return {
    name: 'licenses',
    generateBundle(_, bundle) {
      const modules = Object.values(bundle).flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []))
      const folders = modules.map((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0]).filter(Boolean)
      const texts = [...new Set(folders)].sort().map((folder) => licenseOf(folder as string))
      this.emitFile({ type: 'asset', fileName: licenseFile, source: texts.join('\n\n') })
    },
  }
}

function licenseOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const [file] = globSync('LICEN[CS]E*', { cwd: folder })
  const text = file && existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8').trim() : license
  return `${name} ${version} (${license})\n\n${text}`
}

/** The bundled packages, as `name@version`, by the text of a license file. */
export const bundledIn = (text: string): string[] =>
  [...text.matchAll(/^(@?[\w./-]+) (\d+\.\d+\.\d+\S*) \([^)]*\)$/gm)].map(([, name, version]) => `${name}@${version}`)
