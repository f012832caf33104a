import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { offlineFileList } from './plugins/offline.ts'

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}`, import.meta.url))

/** One entry per audience: a resident never downloads the control room. */
export default defineConfig({
  root: source(''),
  publicDir: false,
  cacheDir: fileURLToPath(new URL('./node_modules/.vite', import.meta.url)),
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [offlineFileList({ worker: 'cab/sw.js', page: 'cab/index.html' })],
  build: {
    outDir: fileURLToPath(new URL('./dist', import.meta.url)),
    emptyOutDir: true,
    // The pages' policy allows no data: fonts or scripts, so nothing is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: 'manifest.json',
    target: 'es2022',
    cssTarget: ['chrome100', 'firefox100', 'safari15'],
    chunkSizeWarningLimit: 1100, // maplibre-gl, loaded only when a map is shown
    rolldownOptions: {
      input: {
        control: source('control/index.html'),
        signin: source('signin/index.html'),
        cab: source('cab/index.html'),
        home: source('resident/index.html'),
        report: source('resident/report.html'),
        request: source('resident/request.html'),
        'cab-worker': source('cab/sw.ts'),
      },
      output: {
        entryFileNames: (chunk) =>
          chunk.name === 'cab-worker' ? 'cab/sw.js' : 'assets/[name]-[hash].js',
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
      },
    },
  },
  test: { include: ['**/*.test.{ts,tsx}'], environment: 'node' },
})
