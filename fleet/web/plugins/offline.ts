import { createHash } from 'node:crypto'
import type { Plugin } from 'vite'

/** The text in the worker's source that the file list replaces. */
const MARK = '__OFFLINE_FILES__'

interface Options {
  /** Built path of the service worker. */
  worker: string
  /** Built path of the page that must open without a network. */
  page: string
}

/**
 * Writes into the service worker which files its page needs, and a version that changes with them.
 *
 * The worker's source says `const { version, files } = __OFFLINE_FILES__`.
 */
export function offlineFileList({ worker, page }: Options): Plugin {
  return {
    name: 'offline-file-list',
    apply: 'build',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const script = bundle[worker]
      if (script?.type !== 'chunk') return
      const files = new Set<string>()
      const follow = (name: string): void => {
        const item = bundle[name]
        if (item === undefined || files.has(name)) return
        files.add(name)
        if (item.type !== 'chunk') return
        for (const next of [...item.imports, ...item.dynamicImports]) follow(next)
        for (const asset of item.viteMetadata?.importedAssets ?? []) files.add(asset)
        for (const sheet of item.viteMetadata?.importedCss ?? []) files.add(sheet)
      }
      for (const item of Object.values(bundle)) {
        if (item.type === 'chunk' && item.facadeModuleId?.endsWith(page) === true) {
          follow(item.fileName)
        }
      }
      const list = [...files].sort().map((name) => `/${name}`)
      const page_html = bundle[page]
      const version = createHash('sha256')
        .update(list.join('\n'))
        .update(page_html?.type === 'asset' ? page_html.source : '')
        .digest('hex')
        .slice(0, 12)
      script.code = script.code.replaceAll(MARK, JSON.stringify({ version, files: list }))
    },
  }
}
