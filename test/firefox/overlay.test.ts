/** The overlay in a real Firefox: what a person does with it, and what a hostile page cannot. */
import { expect, it } from 'vitest';
import { axeFindings } from '../support/extension/axe.ts';
import type { SceneOptions } from '../support/extension/people-scene.ts';
import {
  HASH,
  HOST,
  openOptions,
  openPeopleScene,
  overlayText,
  picture,
  pressButton,
} from '../support/extension/people-scene.ts';
import type { FirefoxTab } from '../support/sites/firefox-tab.ts';
import { KEYS } from '../support/sites/firefox-tab.ts';
import { describeWithFirefox } from '../support/sites/open-firefox.ts';

async function pressKeyUntilInside(tab: FirefoxTab): Promise<void> {
  await tab.evaluate(() => document.body.focus());
  for (let step = 0; step < 10; step += 1) {
    await tab.type(KEYS.tab);
    if (await tab.evaluate((host) => document.activeElement?.matches(host), HOST)) return;
  }
  throw new Error('the overlay cannot be reached by the Tab key');
}

interface NotificationEvent {
  addListener(listener: (id: string) => void): void;
}
/** As a page of the extension has it. */
declare const browser: {
  notifications: { getAll(): Promise<object>; onShown: NotificationEvent; onClosed: NotificationEvent };
};

/**
 * Notes in the document of an extension's page what Firefox does with notifications from now on. None stays for long, and
 * without a screen Firefox closes one at once.
 */
function noteNotifications(): void {
  const note = (what: string) => (id: string) => {
    const { dataset } = document.documentElement;
    dataset.notes = `${dataset.notes ?? ''}${what} ${id};`;
  };
  browser.notifications.onShown.addListener(note('shown'));
  browser.notifications.onClosed.addListener(note('closed'));
}

describeWithFirefox('the overlay in a real Firefox', () => {
  it.each([2, 3] as const)('shows what the edge confirmed, in every tab, with manifest %i', async (manifestVersion) => {
    const scene = await openPeopleScene({ manifestVersion });
    const first = await scene.open();
    await overlayText(first, /running/);
    await pressButton(first, 'Open the Conductor panel');
    const shown = await overlayText(first, /Pause everything/);
    expect(shown).toContain('Connected');
    expect(shown).toContain('ma\\u{202e}in');
    expect(shown).not.toContain('paused');
    const second = await scene.open();
    await first.activate();
    await pressButton(first, 'Pause everything');
    await expect.poll(() => scene.edge.asked).toEqual(['/v1/system/pause {}']);
    // The edge has done it and its notice has not come: nothing is shown as done.
    expect(await overlayText(first, /running/)).not.toContain('paused');
    await scene.announce();
    await overlayText(first, /paused/);
    await overlayText(second, /paused/);
    expect(scene.edge.mode).toBe('paused');
    await pressButton(first, 'Manual');
    await expect.poll(() => scene.edge.status).toBe('manual');
    await expect
      .poll(() => first.inShadow(HOST, (root) => root.querySelector('[aria-pressed=true]')?.textContent))
      .toBe('Manual');
    scene.edge.refusal = 'the mode was changed meanwhile';
    await pressButton(first, 'Resume');
    await overlayText(first, /Not done: the mode was changed meanwhile/);
    expect(scene.edge.mode).toBe('paused');
  });

  it.each([2, 3] as const)(
    'notifies once of what waits, until it does not, with manifest %i',
    async (manifestVersion) => {
      const scene = await openPeopleScene({ manifestVersion, notices: true, waiting: [] });
      const tab = await scene.open();
      await pressButton(tab, 'Open the Conductor panel');
      const options = await openOptions(scene.firefox, tab);
      await options.evaluate(noteNotifications);
      const notes = () => options.evaluate(() => document.documentElement.dataset.notes);
      scene.edge.waiting = ['ins_1'];
      await scene.announce();
      await expect.poll(notes).toContain('approval ins_1;');
      await scene.announce();
      scene.edge.waiting = [];
      await scene.announce();
      await expect.poll(() => options.evaluate(() => browser.notifications.getAll())).toEqual({});
      await expect.poll(async () => (await notes())?.match(/closed approval ins_1;/g)).toHaveLength(1);
    },
  );

  it('notifies of a step that waits at any node, until it does not', async () => {
    const scene = await openPeopleScene({ notices: true, waiting: [] });
    const tab = await scene.open();
    await pressButton(tab, 'Open the Conductor panel');
    const options = await openOptions(scene.firefox, tab);
    await options.evaluate(noteNotifications);
    const notes = () => options.evaluate(() => document.documentElement.dataset.notes);
    scene.edge.forNodes = [{ cause: 'blocked_step', object_id: 'tsk_1', part: '0' }];
    await scene.agent.side.noticeHours.refresh();
    await expect.poll(notes).toContain('blocked_step tsk_1 0;');
    await scene.agent.side.noticeHours.refresh();
    scene.edge.forNodes = [];
    await scene.agent.side.noticeHours.refresh();
    await expect.poll(() => options.evaluate(() => browser.notifications.getAll())).toEqual({});
    await expect.poll(async () => (await notes())?.match(/closed blocked_step tsk_1 0;/g)).toHaveLength(1);
  });

  it('approves exactly what was shown, after a second press, by mouse and by keyboard', async () => {
    const scene = await openPeopleScene();
    const tab = await scene.open();
    await pressKeyUntilInside(tab);
    await tab.type(KEYS.enter);
    await overlayText(tab, /Waiting for your approval/);
    await pressButton(tab, 'Approve…');
    const approval = await scene.approvalWindow();
    await approval.until(() => /ma\\u\{202e\}in[\s\S]*Run exactly what is shown above/.test(document.body.innerText));
    expect(scene.edge.asked).toEqual([]);
    await approval.until(() => document.querySelector('.question .primary')?.getAttribute('aria-disabled') === 'false');
    // The focus is on the harmless button; the next one decides.
    await approval.type(KEYS.tab);
    await approval.type(KEYS.enter);
    await expect.poll(() => scene.edge.asked).toEqual([`/v1/instructions/ins_1/approve {"approval_hash":"${HASH}"}`]);
    await scene.announce();
    await expect.poll(() => scene.approvalWindows()).toEqual([]);
    await tab.activate();
    await expect.poll(() => tab.inShadow(HOST, (root) => root.textContent?.includes('Approve'))).toBe(false);
    await pressKeyUntilInside(tab);
    await tab.type(KEYS.escape);
    await expect.poll(() => tab.inShadow(HOST, (root) => root.querySelector('.panel') === null)).toBe(true);
  });

  it('a page reads nothing of it, presses nothing in it, and cannot keep it away', async () => {
    const scene = await openPeopleScene();
    const tab = await scene.open();
    await pressButton(tab, 'Open the Conductor panel');
    await overlayText(tab, /Pause everything/);
    const seen = await tab.evaluate((selector) => {
      const host = document.querySelector<HTMLElement>(selector);
      const box = { x: innerWidth - 80, y: 300 };
      for (const name of ['pointerdown', 'mousedown', 'pointerup', 'mouseup', 'click']) {
        const event = { bubbles: true, composed: true, clientX: box.x, clientY: box.y };
        host?.dispatchEvent(new MouseEvent(name, event));
        document.elementFromPoint(box.x, box.y)?.dispatchEvent(new MouseEvent(name, event));
      }
      host?.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, composed: true }));
      return { root: host?.shadowRoot ?? null, text: host?.textContent, html: document.documentElement.outerHTML };
    }, HOST);
    expect(seen).toMatchObject({ root: null, text: '' });
    expect(seen.html).not.toContain('Pause everything');
    // Hidden by the page, from around it and from above.
    await tab.evaluate(() => document.documentElement.style.setProperty('opacity', '0.01'));
    await pressButton(tab, 'Pause everything');
    await overlayText(tab, /The page has covered this panel/);
    await tab.evaluate(() => document.documentElement.style.removeProperty('opacity'));
    await tab.evaluate(() => {
      const cover = document.createElement('div');
      cover.popover = 'manual';
      cover.style.cssText = 'inset:0;width:100vw;height:100vh;pointer-events:none';
      document.body.append(cover);
      cover.showPopover();
    });
    await pressButton(tab, 'Deny');
    await overlayText(tab, /The page has covered this panel/);
    expect(scene.edge.asked).toEqual([]);
    await tab.evaluate((selector) => document.querySelector(selector)?.remove(), HOST);
    await tab.until((selector) => document.querySelector(selector)?.matches(':popover-open') === true, HOST);
    await tab.evaluate((selector) => document.querySelector<HTMLElement>(selector)?.hidePopover(), HOST);
    await tab.until((selector) => document.querySelector(selector)?.matches(':popover-open') === true, HOST);
  });

  it.each<[name: string, width: number, options: SceneOptions]>([
    ['light', 1_100, {}],
    ['dark', 1_100, { preferences: { 'layout.css.prefers-color-scheme.content-override': 0 } }],
    ['narrow', 400, {}],
    ['Chinese', 1_100, { language: 'zh_CN' }],
  ])('fits the window and the person, without a serious finding of axe: %s', async (name, width, options) => {
    const scene = await openPeopleScene(options);
    const tab = await scene.open();
    await tab.setViewport(width, 860);
    await overlayText(tab, options.language === 'zh_CN' ? /运行中/ : /running/);
    await scene.announce();
    await tab.inShadow(HOST, (root) => root.querySelector<HTMLElement>('.brief')?.setAttribute('data-test', ''));
    await tab.clickInShadow(HOST, '[data-test]');
    await expect.poll(() => tab.inShadow(HOST, (root) => root.querySelectorAll('section').length)).toBeGreaterThan(3);
    const box = await tab.inShadow(HOST, (root) => {
      const panel = root.querySelector('.panel')?.getBoundingClientRect();
      const body = root.querySelector('.body');
      return { left: panel?.left, right: panel?.right, overflow: (body?.scrollWidth ?? 0) - (body?.clientWidth ?? 0) };
    });
    expect(box.left).toBeGreaterThanOrEqual(0);
    expect(box.right).toBeLessThanOrEqual(width);
    expect(box.overflow).toBe(0);
    await picture(tab, name);
    expect(await axeFindings(tab, HOST)).toEqual([]);
    if (name !== 'light' && name !== 'dark') return;
    await pressButton(tab, 'Approve…');
    const approval = await scene.approvalWindow();
    await approval.until(() => document.querySelector('.question .primary') !== null);
    expect(await axeFindings(approval)).toEqual([]);
    const optionsPage = await openOptions(scene.firefox, tab);
    await optionsPage.until(() => document.querySelectorAll('section').length > 2);
    expect(await axeFindings(optionsPage)).toEqual([]);
  });
});
