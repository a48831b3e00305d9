import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder of its own for the running test, removed when it has finished. */
export function tempDir(): string {
  const path = mkdtempSync(join(tmpdir(), 'conductor-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
