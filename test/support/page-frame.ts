/** What the status page shows while its code is on the way: cases of status-page.test.ts. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import type { PageScene } from './page-scene.ts';
import { shows } from './page-tab.ts';

/** The status page behind a server that keeps its main script back until `release`. */
async function withoutCode(edgeUrl: string) {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const asked: string[] = [];
  const server = createServer(async ({ url = '/', headers }, response) => {
    asked.push(url);
    if (url.startsWith('/assets/main-')) await released;
    const { cookie = '', accept = '' } = headers;
    const upstream = await fetch(new URL(url, edgeUrl), { headers: { cookie, accept } });
    const kept = ['content-type', 'content-security-policy'].map((name) => [name, upstream.headers.get(name) ?? '']);
    response.writeHead(upstream.status, Object.fromEntries(kept));
    // The events never end: what is shown first needs none of them.
    if (url.startsWith('/v1/events')) await upstream.body?.cancel();
    response.end(url.startsWith('/v1/events') ? '' : Buffer.from(await upstream.arrayBuffer()));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}`, release, asked, close };
}

export function frameCases(sceneNow: () => PageScene): void {
  it.each([
    ['en', /Now.*Conversations.*Settings.*Connecting….*Tasks\s+Loading…/, /Tasks\s+Status/],
    ['zh', /现在.*对话.*设置.*正在连接….*任务\s+正在加载…/, /任务\s+状态/],
  ])('before its code has come shows navigation and heading, and then the panel: %s', async (chosen, frame, panel) => {
    const scene = sceneNow();
    const { tab } = scene;
    const { url, release, asked, close } = await withoutCode(scene.cluster.stack.edgeUrl);
    // Cookies know no ports: the page is signed in here too. Its choices are of this address alone.
    await tab.open(`${url}/healthz`);
    await tab.evaluate((language) => localStorage.setItem('conductor.language', language), chosen);
    // The document has loaded once its main script has.
    const opened = tab.open(`${url}/tasks`);
    await shows(tab, frame);
    // The session was asked for, and is not asked for again by the code that reads it.
    await expect.poll(() => asked).toContain('/v1/session');
    release();
    await opened;
    await shows(tab, panel);
    expect(asked.filter((path) => path === '/v1/session')).toHaveLength(1);
    close();
    await scene.at('/');
  });
}
