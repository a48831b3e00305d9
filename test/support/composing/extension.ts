/** Builds the extension of content-script.ts. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const MANIFEST = {
  manifest_version: 2,
  name: 'Composing under test',
  version: '1.0',
  browser_specific_settings: { gecko: { id: 'composing@test.invalid' } },
  content_scripts: [{ matches: ['https://chatgpt.com/*'], js: ['content.js'], run_at: 'document_start' }],
};

/** The folder of the extension. */
export async function buildComposingExtension(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'conductor-composing-'));
  await build({
    entryPoints: [fileURLToPath(new URL('content-script.ts', import.meta.url))],
    bundle: true,
    format: 'iife',
    target: 'firefox140',
    outfile: join(folder, 'content.js'),
    logLevel: 'error',
  });
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(MANIFEST));
  return folder;
}
