/** Addresses of objects that have their place in a list alone: cases of status-page.test.ts. */
import { expect, it } from 'vitest';
import type { PageScene } from './page-scene.ts';

const GRANT = {
  controller_id: 'host-a',
  argv: ['git', 'push'],
  folder: '/a/folder',
  max_uses: 5,
  expires_in_ms: 600_000,
};

export function addressedCases(sceneNow: () => PageScene): void {
  it.each([
    ['/tokens', 'operator@'],
    ['/grants', 'Folder'],
    ['/audit', 'operator'],
    ['/leadership', 'host-a'],
  ])('marks the object of %s that a shared address names', async (list, text) => {
    const scene = sceneNow();
    const { tab } = scene;
    if (list === '/grants')
      await scene.cluster.call('POST', '/v1/grants', {
        ...GRANT,
        local_conversation_id: await scene.conversation('granted'),
      });
    await scene.at(list);
    const last = '[data-name=Id] a, [data-name=Request] a, .axis-name a[href*="#"]';
    const shared = await tab.evaluate(
      (links) => [...document.querySelectorAll(links)].at(-1)?.getAttribute('href'),
      last,
    );
    expect(shared).toContain('#');
    await scene.at('/');
    await scene.at(shared ?? '');
    await tab.until(() => document.querySelector('.addressed') !== null);
    const marked = await tab.evaluate(() => {
      const one = document.querySelector<HTMLElement>('.addressed');
      const { top = -1 } = one?.getBoundingClientRect() ?? {};
      return { id: `#${one?.id}`, text: one?.innerText, isSeen: top >= 0 && top < innerHeight };
    });
    expect(marked).toMatchObject({ id: new URL(shared ?? '', 'http://a').hash, isSeen: true });
    expect(marked.text).toContain(text);
  });
}
