/** The ground of the fake sites, in a real Firefox: host names, editors, streams. The extension has no part in it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { EditorName } from '../support/sites/editors/bundle.ts';
import { EDITORS } from '../support/sites/editors/bundle.ts';
import type { MountEditor, MountedEditor } from '../support/sites/editors/page/editor.ts';
import { KEYS } from '../support/sites/firefox-tab.ts';
import { describeWithFirefox, Firefox } from '../support/sites/open-firefox.ts';
import { SITE_HOSTS, SitesServer } from '../support/sites/server.ts';
import type { FakeSite } from '../support/sites/site.ts';
import { cutBody, gate, writeSlowly } from '../support/sites/streaming.ts';

declare const fakeEditor: { mountEditor: MountEditor };
interface EditorWindow extends Window {
  editor: MountedEditor;
  submitted: string[];
}
declare const window: EditorWindow;

const POEM = 'Zeile eins 🎼\n\n\tzwei \\ "drei"\n  你好';
const half = gate();

const site: FakeSite = {
  hosts: SITE_HOSTS,
  async handle({ url, host }, response) {
    if (url.pathname === '/cut') {
      response.writeHead(200, { 'content-type': 'text/plain' }).write('beginning');
      cutBody(response);
    } else if (url.pathname === '/slow') {
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
      await writeSlowly(response, '🎼', { pieceBytes: 1, everyMs: 1 });
      await half.opened;
      response.end('end');
    } else {
      const editor = url.searchParams.get('editor') ?? '';
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end(`<!doctype html><title>${host}</title><div id="host"></div><script src="${editor}"></script>`);
    }
  },
};

describeWithFirefox('the fake sites', () => {
  let server: SitesServer;
  let firefox: Firefox;
  beforeAll(async () => {
    server = await SitesServer.start([site]);
    firefox = await Firefox.start({ port: server.port });
  });
  afterAll(async () => {
    await firefox.close();
    await server.stop();
    expect(server.errors).toEqual([]);
  });

  async function openEditor(name: EditorName, attachmentAbove = 1_000) {
    const tab = await firefox.openTab(`https://chatgpt.com/?editor=${encodeURIComponent(`/fake-editors/${name}.js`)}`);
    await tab.evaluate((limit) => {
      const host = document.querySelector<HTMLElement>('#host');
      if (!host) throw new Error('the page has no place for the editor');
      window.submitted = [];
      window.editor = fakeEditor.mountEditor(host, { attributes: { id: 'composer' }, attachmentAbove: limit });
      window.editor.onSubmit = () => window.submitted.push(window.editor.text());
    }, attachmentAbove);
    return tab;
  }

  it.each(SITE_HOSTS)('serve %s under its own name', async (host) => {
    const tab = await firefox.openTab(`https://${host}/`);
    expect(await tab.evaluate(() => [document.title, window.isSecureContext])).toEqual([host, true]);
    await tab.close();
  });

  it('record the bytes of a body and the status of the response', async () => {
    const tab = await firefox.openTab('https://claude.ai/');
    await tab.evaluate((text) => fetch('/sent', { method: 'POST', body: text }).then(() => true), POEM);
    const whole = { method: 'POST', host: 'claude.ai', status: 200, end: 'complete' };
    await expect.poll(() => server.received('/sent')[0]).toMatchObject(whole);
    expect(server.received('/sent')[0]?.body.toString()).toBe(POEM);
    await tab.close();
  });

  it('write a body in pieces that cut a character, and end it when the test lets them', async () => {
    const tab = await firefox.openTab('https://claude.ai/');
    const text = tab.evaluate(() => fetch('/slow').then((response) => response.text()));
    half.open();
    expect(await text).toBe('🎼end');
    await tab.close();
  });

  it('break a body in the middle', async () => {
    const tab = await firefox.openTab('https://claude.ai/');
    const cut = await tab.evaluate(() =>
      fetch('/cut')
        .then((response) => response.text())
        .then(
          () => 'complete',
          () => 'broken',
        ),
    );
    expect(cut).toBe('broken');
    await expect.poll(() => server.received('/cut')[0]).toMatchObject({ status: 200, end: 'cut' });
    await tab.close();
  });

  it.each(EDITORS)('%s sends what a person types when Enter is pressed', async (name) => {
    const tab = await openEditor(name);
    await tab.click('#composer');
    await tab.type(`one 🎼 zwei${KEYS.enter}`);
    expect(await tab.evaluate(() => window.submitted)).toEqual(['one 🎼 zwei']);
    await tab.close();
  });

  it.each(EDITORS)('%s takes a paste of plain text unchanged', async (name) => {
    const tab = await openEditor(name);
    await tab.click('#composer');
    const text = await tab.evaluate(async (plain) => {
      // Firefox fills the clipboard of an event from these two only.
      const init = { dataType: 'text/plain', data: plain, bubbles: true, cancelable: true };
      window.editor.element.dispatchEvent(new ClipboardEvent('paste', init));
      await new Promise(requestAnimationFrame);
      return window.editor.text();
    }, POEM);
    expect(text).toBe(POEM);
    await tab.close();
  });

  it.each(EDITORS)('%s turns a long paste into an attachment, and clears it', async (name) => {
    const tab = await openEditor(name, 10);
    await tab.click('#composer');
    const seen = await tab.evaluate(async (plain) => {
      // Firefox fills the clipboard of an event from these two only.
      const init = { dataType: 'text/plain', data: plain, bubbles: true, cancelable: true };
      window.editor.element.dispatchEvent(new ClipboardEvent('paste', init));
      const attached = [...window.editor.attachments()];
      window.editor.clear();
      return [attached, window.editor.attachments(), window.editor.text()];
    }, POEM);
    expect(seen).toEqual([[POEM], [], '']);
    await tab.close();
  });
});
