/** The tests that every check of doctor has: each case is found and explained, and no check is without a case. */
import { expect, it } from 'vitest';
import type { Group } from '../../local-agent/doctor/check.ts';
import { CHECKS } from '../../local-agent/doctor/checks.ts';
import type { DoctorCase } from './doctor-scene.ts';
import { DoctorScene } from './doctor-scene.ts';

const A_SENTENCE = /\w+ \w+/;

export function itFinds(cases: readonly DoctorCase[], groups: readonly Group[]): void {
  it.each(cases)('%s: %s is found', async (id, _case, severity, what, command, alter) => {
    const scene = new DoctorScene();
    alter(scene);
    const { findings } = await scene.look(id);
    const [finding, ...others] = findings;
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ severity, what: expect.stringMatching(what) });
    expect(finding?.why).toMatch(A_SENTENCE);
    expect(finding?.advice).toMatch(A_SENTENCE);
    if (command === null) expect(finding?.command).toBeNull();
    else expect(finding?.command ?? '').toMatch(command);
  });

  it('every such check has a case that it finds', () => {
    const ids = CHECKS.filter(({ group }) => groups.includes(group)).map(({ id }) => id);
    expect(ids.filter((id) => !cases.some(([check]) => check === id))).toEqual([]);
  });
}
