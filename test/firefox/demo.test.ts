/** `npm run demo -- --firefox` to its end, without a window; its pictures are there and show something. */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { playFirefoxDemo } from '../demo/firefox.ts';
import { describeWithFirefox } from '../support/sites/open-firefox.ts';

/** A PNG of this size is not an empty page. */
const MIN_BYTES = 5_000;

describeWithFirefox('the demo in Firefox', () => {
  it('plays every chapter on the three sites and leaves their pictures', async () => {
    const printed: string[] = [];
    const pictures = await playFirefoxDemo((line) => printed.push(line));
    onTestFinished(() => rmSync(pictures, { recursive: true, force: true }));
    const names = readdirSync(pictures).sort();
    expect(names).toEqual([
      '1-chatgpt.png',
      '2-claude-waits.png',
      '3-claude-approved.png',
      '4-gemini-paused.png',
      '5-gemini-renewed.png',
    ]);
    for (const name of names) expect(readFileSync(join(pictures, name)).length).toBeGreaterThan(MIN_BYTES);
    expect(printed.join('\n')).toContain(`The pictures are in ${pictures}`);
    expect(printed.join('\n')).toContain('written by an assistant');
  });
});
