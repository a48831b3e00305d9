/** Scripts for the pages of fake sites: TypeScript that runs in Firefox, bundled by esbuild. */
import { build } from 'esbuild';

const built = new Map<string, Promise<string>>();

/** The script of an entry file, built once for each run of the tests. `globalName` holds what the file exports, if given. */
export function pageScript(entry: string, globalName?: string): Promise<string> {
  const ready = built.get(entry) ?? bundle(entry, globalName);
  built.set(entry, ready);
  return ready;
}

async function bundle(entry: string, globalName?: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'iife',
    ...(globalName !== undefined && { globalName }),
    target: 'firefox140',
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'error',
  });
  const [script] = outputFiles;
  if (!script) throw new Error(`esbuild wrote nothing for ${entry}`);
  return script.text;
}
