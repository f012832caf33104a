declare const __OFFLINE_FILES__: { version: string; files: string[] }

const { version, files } = __OFFLINE_FILES__
console.debug(version, files.length)
export {}
