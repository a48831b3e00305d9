/** The table of what a person can do on the status page, as cases: through to the effect, and who did it. */
import { expect, it } from 'vitest';
import type { AuditEntry } from '../../../schema/contracts/audit.ts';
import type { PageScene } from '../page-scene.ts';
import { confirms, shows } from '../page-tab.ts';
import { OF_CONVERSATIONS } from './conversations.ts';
import { OF_INSTRUCTIONS } from './instructions.ts';
import { OF_OTHERS } from './others.ts';
import type { ActionRow } from './row.ts';

export const ROWS: readonly ActionRow[] = [...OF_CONVERSATIONS, ...OF_INSTRUCTIONS, ...OF_OTHERS];

/** The cases, on the scene that is there when they run. */
export function rowCases(sceneNow: () => PageScene, rows: readonly ActionRow[]): void {
  it.each(rows)('$name', async ({ prepare, act, says, wrote, effect, has, shows: shown }) => {
    const scene = sceneNow();
    const { at, id } = await prepare(scene);
    const since = Date.now();
    await scene.at(at);
    await act(scene.tab, scene);
    await confirms(scene.tab, says);
    await expect.poll(() => effect(scene, id)).toMatchObject(has);
    await (shown instanceof RegExp ? shows(scene.tab, shown) : shown(scene.tab));
    const audit = `/v1/audit?action=${encodeURIComponent(wrote)}&limit=1`;
    const [write] = (await scene.cluster.call<{ items: AuditEntry[] }>('GET', audit)).items;
    expect(write?.actor).toMatch(/^operator@/);
    expect(write?.at).toBeGreaterThanOrEqual(since);
  });
}
