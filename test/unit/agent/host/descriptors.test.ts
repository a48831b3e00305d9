import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { hasFreeDescriptors } from '../../../../local-agent/host/descriptors.ts';
import { REPOSITORY } from '../../../../local-agent/stack/layout.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const DESCRIPTORS_FILE = pathToFileURL(join(REPOSITORY, 'local-agent/host/descriptors.ts')).href;

describe('free file descriptors', () => {
  it('there are some in this process, and asking leaves none open', () => {
    for (let count = 0; count < 5_000; count += 1) expect(hasFreeDescriptors()).toBe(true);
  });

  it('there are none while a process holds as many as its limit allows, and some when it has closed them', async () => {
    const program = join(tempDir(), 'program.ts');
    writeFileSync(
      program,
      `import { closeSync, openSync } from 'node:fs';
       import { hasFreeDescriptors } from '${DESCRIPTORS_FILE}';
       const held = [];
       try { for (;;) held.push(openSync('/dev/null', 'r')); } catch (error) { console.log(error.code); }
       console.log(hasFreeDescriptors());
       for (const descriptor of held) closeSync(descriptor);
       console.log(hasFreeDescriptors());`,
    );
    const limited = `ulimit -n 128; exec "${process.execPath}" "${program}"`;
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', limited]);
    expect(stdout.trim().split('\n')).toEqual(['EMFILE', 'false', 'true']);
  });
});
