/** The status page of the local edge: made from the sources when what was built is older than they are. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { isOlderThan } from '../host/newest-change.ts';
import { REPOSITORY } from './layout.ts';

const run = promisify(execFile);
const BUILD_TIMEOUT_MS = 120_000;
const BUILT = join(REPOSITORY, 'dist', 'page', 'index.html');
const SCRIPT = join(REPOSITORY, 'workers', 'page', 'build', 'main.ts');
/** What it is made of, below the folder of the program. */
const SOURCES = ['workers/page', 'schema', 'package.json'];

/** Builds the page when its sources are newer. @throws Error when it cannot be built */
export async function ensurePage(say: (line: string) => void): Promise<void> {
  const sources = SOURCES.map((source) => join(REPOSITORY, source));
  if (!isOlderThan(BUILT, sources)) return;
  say('building the status page');
  try {
    await run(process.execPath, [SCRIPT], { timeout: BUILD_TIMEOUT_MS });
  } catch (error) {
    const words = z.object({ stderr: z.string() }).safeParse(error).data?.stderr.trim();
    throw new Error(`the status page was not built: ${words || String(error)}`, { cause: error });
  }
}
