/** One read that fails under a live connection: a case of status-page.test.ts. */
import { expect, it } from 'vitest';
import type { PageScene } from './page-scene.ts';
import { shows } from './page-tab.ts';

export function failedReadCase(sceneNow: () => PageScene): void {
  it('after one failed read is not live, announces no age, and reads again by itself', async () => {
    const scene = sceneNow();
    const { tab } = scene;
    await scene.at('/tasks');
    await shows(tab, /Live/);
    // From now on the list of tasks is refused until `heal`; all else is read.
    await tab.evaluate(() => {
      const real = fetch;
      const page = globalThis as { heal?: () => void };
      const refused = { ok: false, error: 'database_unavailable', message: 'for a test', request_id: 'req_x' };
      globalThis.fetch = async (...asked) =>
        String(asked[0]).startsWith('/v1/tasks') ? Response.json(refused, { status: 503 }) : real(...asked);
      page.heal = () => {
        globalThis.fetch = real;
      };
    });
    await scene.newTask('Made while a read failed', { input: { script: 'true' } });
    await shows(tab, /Not all could be read; trying again.*old/);
    const announced = await tab.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>('[role=alert], [role=status]')].map((one) => one.innerText).join(' '),
    );
    expect(announced).toContain('trying again');
    expect(announced).not.toMatch(/\d+ s\b/);
    await tab.evaluate(() => (globalThis as { heal?: () => void }).heal?.());
    await shows(tab, /Live.*Made while a read failed/);
  });
}
