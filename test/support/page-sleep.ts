/** A laptop that sleeps under the open status page: a case of status-page.test.ts. */
import { expect, it } from 'vitest';
import type { SignInLink } from '../../schema/contracts/tokens.ts';
import { SILENT_MS } from '../../workers/page/live/live.ts';
import { CutProxy } from './cut-proxy.ts';
import type { PageScene } from './page-scene.ts';
import { shows } from './page-tab.ts';

/** Longer than the page takes for silence, so that it knows by itself that it may have missed something. */
const ASLEEP_MS = SILENT_MS + 2_000;
const OLD = /(\d+) s (?:old|ago)/;

export function sleepCase(sceneNow: () => PageScene): void {
  it('after a sleep says how old what it shows is, and catches up without being loaded again', async () => {
    const scene = sceneNow();
    const { tab, cluster, firefox } = scene;
    const proxy = await CutProxy.open(cluster.stack.edgeUrl);
    const { sign_in_url } = await cluster.call<SignInLink>('POST', '/v1/session/links', {});
    await tab.open(sign_in_url.replace(cluster.stack.edgeUrl, proxy.url));
    await shows(tab, /Live.*New work starts as it comes/);
    await tab.evaluate(() => {
      const said: string[] = [];
      Object.assign(globalThis, { said });
      const state = document.querySelector('.connection');
      const look = (): void => void said.push(state?.textContent ?? '');
      if (state) new MutationObserver(look).observe(state, { childList: true, characterData: true, subtree: true });
    });
    const sleeping = firefox.sleep(ASLEEP_MS);
    // As the network of a laptop that sleeps: no event waits in a socket until it wakes.
    proxy.cut('hard');
    proxy.heal();
    await cluster.call('POST', '/v1/system/pause', { reason: 'while it slept' });
    await sleeping;
    await shows(tab, /Live.*Paused.*while it slept/);
    // Of a page that was loaded again it would be gone.
    const said = await tab.evaluate(() => (globalThis as { said?: string[] }).said ?? null);
    const [, age] = (said ?? []).map((text) => OLD.exec(text)).find((found) => found !== null) ?? [];
    expect(Number(age), String(said)).toBeGreaterThanOrEqual(SILENT_MS / 1_000);
    await cluster.call('POST', '/v1/system/resume', {});
    await shows(tab, /New work starts as it comes/);
    await scene.at('/');
    await proxy.close();
  });
}
