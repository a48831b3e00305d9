import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NamedRepos } from '../../../../local-agent/tasks/named-repos.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { TestClock } from '../../../support/test-clock.ts';

const AFTER_MS = 20_000;

/** A node with a repository `here`, and one on a disk that is not mounted. */
function openScene() {
  const clock = new TestClock();
  const repos = { here: tempDir(), away: join(tempDir(), 'away') };
  let asked = 0;
  const named = new NamedRepos({ repos, clock, missingRepoMs: AFTER_MS }, () => {
    asked += 1;
  });
  return { clock, named, away: repos.away, asked: () => asked };
}

describe('a repository that is missing', () => {
  it('is not named before it was missing for a while; then the node asks at once, so that its steps end', () => {
    const { clock, named, asked } = openScene();
    expect(named.look()).toEqual(['here']);
    clock.advance(AFTER_MS - 1);
    expect(named.look()).toEqual(['here']);
    expect(asked()).toBe(0);
    clock.advance(1);
    expect(asked()).toBe(1);
    expect(named.look()).toEqual(['here', 'away']);
  });

  it('is named at once when its disk is mounted, and waits as long when it is away again', () => {
    const { clock, named, away } = openScene();
    named.look();
    mkdirSync(away);
    clock.advance(AFTER_MS / 2);
    expect(named.look()).toEqual(['here', 'away']);
    rmSync(away, { recursive: true });
    expect(named.look()).toEqual(['here']);
    clock.advance(AFTER_MS / 2);
    expect(named.look()).toEqual(['here']);
  });

  it('waits after each claim for it, so that its disk may come before the next attempt', () => {
    const { clock, named, asked } = openScene();
    named.look();
    clock.advance(AFTER_MS);
    expect(named.look()).toContain('away');
    named.claimed('away');
    named.claimed('here');
    expect(named.look()).toEqual(['here']);
    clock.advance(AFTER_MS);
    expect(asked()).toBe(2);
    expect(named.look()).toContain('away');
  });

  it('is not looked at any more by a node that has stopped', () => {
    const { clock, named, asked } = openScene();
    named.look();
    named.stop();
    clock.advance(AFTER_MS);
    expect(asked()).toBe(0);
  });
});
