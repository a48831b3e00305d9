/** `conductor firefox` as a person, a service manager and a test run it: the real program, agent, edge and Firefox. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { until } from '../support/cluster.ts';
import type { Ready } from '../support/firefox-command.ts';
import { FirefoxScene, untilGone } from '../support/firefox-command.ts';
import { describeWithFirefox } from '../support/sites/open-firefox.ts';

/** The promise, and what a busy machine may add to it. */
const CLOSE_MS = 15_000 + 15_000;
const COOKIE = { name: 'session', value: { type: 'string', value: 'signed-in' }, domain: 'chatgpt.com' };
const CookiesSchema = z.object({ cookies: z.array(z.object({ name: z.string(), domain: z.string() })) });

describeWithFirefox('conductor firefox', () => {
  let scene: FirefoxScene;
  let first: Ready;
  const commands: ReturnType<FirefoxScene['firefox']>[] = [];

  beforeAll(async () => {
    scene = await FirefoxScene.start();
  });
  afterEach(async () => {
    for (const { line } of commands.splice(0)) await line.end('SIGTERM');
  });
  afterAll(async () => {
    await scene.stop();
  });

  function run(options: string, advised?: string): ReturnType<FirefoxScene['firefox']> {
    const command = scene.firefox(options, advised);
    commands.push(command);
    return command;
  }

  /** Finds by doctor that no browser serves the node; resolves with the line that it advises. */
  async function advised(code: 'no_browser_paired' | 'no_browser_connected'): Promise<string> {
    const found = await scene.browserFindings();
    expect(found).toMatchObject([{ code, command: `npm run conductor -- firefox --root ${scene.root}` }]);
    return found[0]?.command ?? 'false';
  }

  it('by the line of doctor, it is ready when the extension is installed, paired and connected, and closes within 15 s of SIGTERM', async () => {
    const command = run('--bidi about:blank', await advised('no_browser_paired'));
    first = await command.ready();
    expect(await scene.browser(first.client_id)).toEqual({
      client_id: first.client_id,
      origin: first.extension_origin,
      connected: true,
    });
    expect(command.line.out).toHaveLength(1);
    expect(first.profile).toBe(join(scene.root, 'firefox', 'profile'));
    expect(await scene.browserFindings()).toEqual([]);

    const bidi = await command.bidi();
    await bidi.call('storage.setCookie', { cookie: { ...COOKIE, expiry: 4_000_000_000 } }, z.unknown());
    await bidi.end();
    const ended = await command.terminate();
    expect(ended.code).toBe(0);
    expect(ended.ms).toBeLessThan(CLOSE_MS);
    await untilGone(first.pid);
  });

  it('the token of the browser is in files for this user only, and in no log or argument', () => {
    const { profile } = first;
    const identity = join(profile, 'conductor-firefox.json');
    const { token } = z
      .object({ token: z.object({ secret: z.string() }) })
      .parse(JSON.parse(readFileSync(identity, 'utf8')));
    const archive = join(profile, 'extensions', 'extension@baa-conductor.xpi');
    expect([identity, archive].map((path) => statSync(path).mode & 0o777)).toEqual([0o600, 0o600]);
    expect(statSync(profile).mode & 0o777).toBe(0o700);
    const logs = readdirSync(join(scene.root, 'logs')).map((name) => join(scene.root, 'logs', name));
    for (const path of [...logs, join(profile, 'conductor-firefox.log')]) {
      expect(readFileSync(path, 'utf8')).not.toContain(token.secret);
    }
  });

  it('a start on the same root keeps browser, origin, token and logins', async () => {
    const tokens = await scene.tokensOf(first.client_id);
    const command = run('--bidi about:blank', await advised('no_browser_connected'));
    const { client_id, extension_origin } = await command.ready();
    expect({ client_id, extension_origin }).toEqual({
      client_id: first.client_id,
      extension_origin: first.extension_origin,
    });
    const bidi = await command.bidi();
    const { cookies } = await bidi.call('storage.getCookies', {}, CookiesSchema);
    await bidi.end();
    expect(cookies).toContainEqual(expect.objectContaining({ name: 'session', domain: 'chatgpt.com' }));
    expect(await scene.tokensOf(first.client_id)).toEqual(tokens);
    expect(tokens).toHaveLength(1);
    // As after an update of the program, whose next start of Firefox brings the extension of its version.
    expect(await scene.browserFindings('9.9.9')).toMatchObject([{ code: 'extension_version' }]);
    expect(await scene.browserFindings()).toEqual([]);
  });

  it('opens no debugging port unless asked, and a second one on the same root says that the first runs', async () => {
    const command = run('');
    const { pid, bidi_url } = await command.ready();
    expect(bidi_url).toBeUndefined();
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).not.toContain('remote-debugging');
    expect(existsSync(join(first.profile, 'WebDriverBiDiServer.json'))).toBe(false);

    const { code, err, out } = await run('').line.ended;
    const said = `another conductor firefox runs on the profile ${first.profile}`;
    expect([code, JSON.parse(out)]).toMatchObject([1, { ok: false, message: expect.stringContaining(said) }]);
    expect(err).toContain(said);
    expect((await scene.browser(first.client_id))?.connected).toBe(true);
  });

  it('outlives the agent, and the extension connects to the next one', async () => {
    const { pid } = await run('about:blank').ready();
    const before = await until(() => scene.agent());
    process.kill(before.identity.pid, 'SIGKILL');
    await until(async () => {
      const agent = await scene.agent();
      if (agent === null || agent.identity.pid === before.identity.pid) return false;
      return agent.clients.some(({ client_id, connected }) => client_id === first.client_id && connected);
    });
    expect(existsSync(`/proc/${pid}`)).toBe(true);
  });

  it('pairs again when the pairing was revoked, under the same id and with one valid token', async () => {
    const [before = ''] = await scene.tokensOf(first.client_id);
    await scene.revoke(before);
    const command = run('about:blank');
    expect((await command.ready()).client_id).toBe(first.client_id);
    expect(command.line.err.join('\n')).toContain(`the pairing of ${first.client_id} was revoked or is gone`);
    const after = await scene.tokensOf(first.client_id);
    expect(after).toHaveLength(1);
    expect(after).not.toEqual([before]);
  });

  it('ends with the code of Firefox when Firefox ends by itself', async () => {
    const command = run('about:blank');
    const { pid } = await command.ready();
    process.kill(pid, 'SIGKILL');
    // As a shell says it: 128 and the number of the signal.
    expect((await command.line.ended).code).toBe(137);
  });

  it('runs Manifest V3 of the same extension in the same profile', async () => {
    const ready = await run('--manifest 3 about:blank').ready();
    expect(ready.client_id).toBe(first.client_id);
  });

  it('installs for a while over WebDriver BiDi, without a session left, and says that the port stays open', async () => {
    const command = run('--temporary about:blank');
    expect((await command.ready()).client_id).toBe(first.client_id);
    await (await command.bidi()).end();
    expect(command.line.err.join('\n')).toContain('a debugging port (WebDriver BiDi) stays open');
  });
});
