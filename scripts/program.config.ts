import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { defineConfig, type Plugin } from 'vite'
import { root } from '../src/root.ts'
import { checkedOut, commitFile } from '../src/version.ts'

/** Writes the licenses of all bundled packages. */
function licenses(): Plugin {
  return {
    name: 'licenses',
    generateBundle(_, bundle) {
      const modules = Object.values(bundle).flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []))
      const folders = modules.map((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0]).filter(Boolean)
      const texts = [...new Set(folders)].sort().map((folder) => licenseOf(folder as string))
      this.emitFile({ type: 'asset', fileName: 'THIRD-PARTY-LICENSES.txt', source: texts.join('\n\n') })
    },
  }
}

/** Writes the commit that is built. Outside of a checkout nobody knows it. */
function builtCommit(): Plugin {
  return {
    name: 'commit',
    generateBundle() {
      try {
        this.emitFile({ type: 'asset', fileName: basename(commitFile), source: `${checkedOut()}\n` })
      } catch {}
    },
  }
}

function licenseOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const [file] = globSync('LICEN[CS]E*', { cwd: folder })
  const text = file && existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8').trim() : license
  return `${name} ${version} (${license})\n\n${text}`
}

// The program and the server of the package with all their imports except pg, which loads parts of itself by name. A
// start then reads some 40 files instead of 700. See docs/adr/0011-the-package-is-bundled.md.
export default defineConfig({
  root,
  logLevel: 'warn',
  publicDir: false,
  ssr: { noExternal: true, external: ['pg'] },
  plugins: [licenses(), builtCommit()],
  build: {
    ssr: true,
    outDir: 'dist',
    emptyOutDir: false,
    target: 'node24',
    minify: false,
    rollupOptions: {
      input: {
        'cli/main': 'src/cli/main.ts',
        'server/serve': 'src/server/serve.ts',
        'client/client': 'src/client/client.ts',
      },
      output: { entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
    },
  },
})
