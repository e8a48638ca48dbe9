/**
 * URL of a built worker script that lies beside the calling module. Node 20 cannot run TypeScript in a
 * worker, so a module that is itself running from `src` (tests, development) is sent to `dist`.
 *
 * @param importMetaUrl `import.meta.url` of the caller
 * @param script the script as the built caller would import it, e.g. `./render-worker.js`
 */
export function workerUrl(importMetaUrl: string, script: string): URL {
  return new URL(script, importMetaUrl.replace(/\/src\/(?!.*\/src\/)/, "/dist/"));
}
