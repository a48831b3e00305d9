import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { CaseReport } from '../../../fuzz/fuzzer.ts';
import { patchedAsByGit } from '../../../fuzz/patched-files.ts';

const CASES = 150;
const isGitInstalled = spawnSync('git', ['--version']).status === 0;

describe.runIf(isGitInstalled)('random patches of random trees', () => {
  it('do what git apply does, apart from the declared exceptions, and undo restores what was there', async () => {
    const report = new CaseReport();
    for (let seed = 1; seed <= CASES; seed += 1) await patchedAsByGit.run(seed, report);
    const counts = [...report.counts.keys()];
    expect(counts).toContain('applied, git applied');
    expect(counts).toContain('refused, git refused');
  });
});
