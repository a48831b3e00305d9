/** The status page in a real Firefox: what waits for a person, what is due, and what a person typed or copied. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { z } from 'zod';
import type { SettingsResponseSchema } from '../../schema/contracts/renewal-settings.ts';
import { until } from '../support/cluster.ts';
import { PageScene } from '../support/page-scene.ts';
import { clickOn, fillIn, press, shows } from '../support/page-tab.ts';
import type { FirefoxTab } from '../support/sites/firefox-tab.ts';
import { describeWithFirefox } from '../support/sites/open-firefox.ts';

const MINUTE_MS = 60_000;
const INTERRUPTED = { status: 'interrupted', output: '', duration_ms: 1, truncated: false };
const JOB = 'job_01arz3ndektsv4rrffq69g5fav';

/** Stores a renewal job as it is after some attempts. */
function storeJob(root: string, row: Record<string, string | number | null>): void {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.sqlite'));
  for (const file of files) {
    const db = new DatabaseSync(join(root, file));
    const has = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'renewal_jobs'").get();
    const names = Object.keys(row);
    const values = Object.values(row);
    if (has !== undefined) {
      const sql = `INSERT INTO renewal_jobs (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
      db.prepare(sql).run(...values);
    }
    db.close();
  }
}

let scene: PageScene;
let tab: FirefoxTab;

describeWithFirefox('the status page in a real Firefox, for people', () => {
  beforeAll(async () => {
    scene = await PageScene.start();
    tab = scene.tab;
  }, 5 * MINUTE_MS);
  afterAll(() => scene?.stop());
  const newestConversation = async () => {
    const list = '/v1/renewal/conversations?limit=1';
    const [newest] = (await call<{ items: { local_conversation_id: string }[] }>('GET', list)).items;
    if (newest === undefined) throw new Error('there is no conversation');
    return newest;
  };
  const call = <T>(...asked: Parameters<PageScene['cluster']['call']>) => scene.cluster.call<T>(...asked);

  it('lists an interrupted instruction among what waits until a person says what became of it', async () => {
    const { instruction_id } = await scene.instruction('@conductor::exec::{"argv": ["sleep", "600"]}', 'running');
    const { stack } = scene.cluster;
    const reported = await fetch(`${stack.edgeUrl}/v1/instructions/${instruction_id}/result`, {
      method: 'POST',
      headers: { authorization: `Bearer ${scene.node.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ controller_id: 'host-a', ...INTERRUPTED }),
    });
    expect(await reported.text()).toContain('"interrupted"');
    await scene.at('/');
    await shows(tab, /Waits for you\s+Interrupted\s+conductor::exec\s+Did it take effect\?/);
    await call('POST', `/v1/instructions/${instruction_id}/resolve`, { outcome: 'done', note: 'seen' });
    await shows(tab, /Waits for you\s+Nothing waits for a person/);
  });

  it('keeps what is typed in the settings when another saves, and says that the stored value has changed', async () => {
    await scene.at('/settings');
    await clickOn(tab, '#setting-max_per_day-own');
    await fillIn(tab, '#setting-max_per_day', '7');
    await call('PUT', '/v1/renewal/settings', { settings: { max_per_day: 5, max_repeats: 4 } });
    await shows(tab, /Another has stored a value meanwhile: 5\./);
    const values = await tab.evaluate(() =>
      ['max_per_day', 'max_repeats'].map((name) => document.querySelector<HTMLInputElement>(`#setting-${name}`)?.value),
    );
    expect(values).toEqual(['7', '4']);
    await press(tab, 'Save');
    await shows(tab, /The settings are saved\./);
    const stored = await call<z.output<typeof SettingsResponseSchema>>('GET', '/v1/renewal/settings');
    expect(stored.settings).toEqual({ max_per_day: 7, max_repeats: 4 });
    await tab.until(() => !document.body.innerText.includes('Another has stored'));
  });

  it('says whether a new secret was copied, and selects it where the page may not copy', async () => {
    await scene.at('/tokens');
    await fillIn(tab, '#token-subject', 'a phone');
    await press(tab, 'Create');
    await press(tab, 'Copy');
    await shows(tab, /The secret is in the clipboard\./);
    await tab.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
    await press(tab, 'Copy');
    await shows(tab, /The secret is selected: copy it with the keyboard\./);
    const selected = await tab.evaluate(() => [
      getSelection()?.toString().trim(),
      document.querySelector('.secret')?.textContent?.trim(),
    ]);
    expect(selected[0]).toBe(selected[1]);
  });

  it('shows what waits at the first look as one notice with the icon of the page', async () => {
    const ask = () => scene.instruction('@conductor::exec::{"argv": ["id"]}', 'awaiting_approval');
    const asked = [await ask(), await ask()];
    await scene.at('/settings');
    await tab.evaluate(() => {
      const shown: unknown[] = [];
      class Fake {
        static permission = 'granted';
        static requestPermission = async () => 'granted';
        constructor(title: string, options: NotificationOptions) {
          shown.push([title, options.icon]);
        }
      }
      Object.assign(globalThis, { Notification: Fake, shown });
    });
    const shown = () => tab.evaluate(() => (globalThis as unknown as { shown: [string, string][] }).shown);
    await press(tab, 'Show notices of this page');
    const [notice] = await until(async () => {
      const some = await shown();
      return some.length > 0 && some;
    });
    expect(await shown()).toHaveLength(1);
    expect(notice?.[0]).toBe('2 things wait for you');
    const icon = await tab.evaluate(async (path) => {
      const response = await fetch(path);
      return [response.status, response.headers.get('content-type')];
    }, String(notice?.[1]));
    expect(icon).toEqual([200, 'image/svg+xml']);
    await press(tab, 'Stop notices of this page').catch(() => undefined);
    for (const { instruction_id } of asked) await call('POST', `/v1/instructions/${instruction_id}/cancel`, {});
  });

  it('shows each attempt of a renewal with its time, browser, outcome and error', async () => {
    const { local_conversation_id } = await newestConversation();
    const at = Date.now() - MINUTE_MS;
    const attempt = (n: number, client_id: string | null, outcome: string, error: string | null) => ({
      ...{ attempt: n, started_at: at + n * 10_000, ended_at: at + n * 10_000 + 4_000, client_id, outcome, error },
    });
    storeJob(scene.cluster.stack.layout.root, {
      ...{ job_id: JOB, local_conversation_id, message_id: 'msg_of_test', status: 'pending', payload: 'Go on.' },
      ...{ payload_kind: 'text', attempt_count: 2, max_attempts: 3, next_attempt_at: at + 60 * MINUTE_MS },
      ...{ created_at: at, updated_at: at, last_error: 'no_tab' },
      attempts: JSON.stringify([
        attempt(1, null, 'failed', 'missing_active_link'),
        attempt(2, 'firefox-host-a', 'failed', 'no_tab'),
      ]),
    });
    await scene.at(`/renewals/${JOB}`);
    await shows(tab, /attempt 1\s+failed no open tab shows.*attempt 2\s+failed no tab could be opened.*firefox-host-a/);
    await scene.at('/');
    await shows(tab, /Due next\s+renewals: 1 pending, 0 due\s+Renewal/);
  });

  it('pages a thread in its address', async () => {
    const { local_conversation_id } = await newestConversation();
    for (let n = 0; n < 30; n += 1) await scene.browser.says(`thread-${n}`, `Message ${n}.`);
    const stored = () =>
      call<{ items: unknown[] }>('GET', `/v1/messages?local_conversation_id=${local_conversation_id}&limit=50`);
    await until(async () => (await stored()).items.length > 27);
    await scene.at(`/conversations/${local_conversation_id}`);
    const count = (n: number) =>
      tab.until((wanted) => document.querySelectorAll('.thread .message').length === wanted, n);
    await count(25);
    const { items } = await stored();
    await press(tab, 'Older');
    await tab.until(() => location.search.startsWith('?cursor='));
    await count(items.length - 25);
    await press(tab, 'Newest');
    await count(25);
  });
});
