import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { CaseReport } from '../../../fuzz/fuzzer.ts';
import { LISTED_FILES } from '../../../fuzz/listed-files.ts';

const CASES = 60;

function isInstalled(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** The programs that the fuzzers compare with; `npm run fuzz` runs them for as long as wanted. */
const REFERENCES = { git: isInstalled('git'), ripgrep: isInstalled('rg') };
for (const [program, installed] of Object.entries(REFERENCES)) {
  if (!installed) process.emitWarning(`${program} is not installed: lists and searches are NOT compared with it`);
}

describe('lists and searches of random trees', () => {
  for (const fuzzer of LISTED_FILES) {
    const installed = fuzzer.name.endsWith('git') ? REFERENCES.git : REFERENCES.ripgrep;
    it.runIf(installed)(`${fuzzer.name}: the same files as the program finds`, async () => {
      const report = new CaseReport();
      for (let seed = 1; seed <= CASES; seed++) await fuzzer.run(seed, report);
      expect(report.counts.get('something found')).toBeGreaterThan(CASES / 5);
    });
  }
});
