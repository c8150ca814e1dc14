import { readFileSync } from 'node:fs'
import { defineConfig } from 'vite'
import { licenses } from '../../scripts/licenses.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

export default defineConfig(({ command }) => ({
  // Built, every address is relative: the page is served below any prefix.
  base: command === 'build' ? './' : '/conduct/',
  define: { conductVersion: JSON.stringify(version) },
  plugins: [licenses()],
  build: {
    outDir: '../../dist/web',
    emptyOutDir: true,
    // Browsers that know light-dark(), so that it stays as it is written.
    target: ['chrome125', 'firefox128', 'safari18'],
    // No data: addresses and no inline script, for the sake of the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  // `npm run dev:web` beside `npm start`.
  server: { proxy: { '/conduct/v1': 'http://127.0.0.1:3000' } },
}))
