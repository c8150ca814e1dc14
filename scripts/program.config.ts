import { basename } from 'node:path'
import { defineConfig, type Plugin } from 'vite'
import { root } from '../src/root.ts'
import { checkedOut, commitFile } from '../src/version.ts'
import { licenses } from './licenses.ts'

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
