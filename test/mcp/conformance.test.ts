/**
 * The conformance suite of MCP on the system of `npm start`. These scenarios fit any server with tools and resources; the
 * others want tools, prompts and files of the suite's own example server, or features that this server does not declare.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installedProgram } from './installed.ts';
import type { LocalSystem } from './local-system.ts';
import { runScript, startLocalSystem } from './local-system.ts';
import type { TokenProxy } from './token-proxy.ts';
import { openTokenProxy } from './token-proxy.ts';

const program = installedProgram('conformance');
const SCENARIOS = ['server-initialize', 'ping', 'tools-list', 'resources-list', 'dns-rebinding-protection'] as const;

describe.skipIf(program === null)('the conformance suite', () => {
  let system: LocalSystem;
  let proxy: TokenProxy;
  const ran: string[] = [];
  beforeAll(async () => {
    system = await startLocalSystem();
    proxy = await openTokenProxy(system.url, system.token);
  });
  afterAll(async () => {
    process.stdout.write(`\nMCP conformance, scenarios that ran: ${ran.join('; ')}\n`);
    await proxy?.close();
    await system?.stop();
  });

  it.each(SCENARIOS)('passes %s', async (scenario) => {
    const { code, out, err } = await runScript(program ?? '', ['server', '--url', proxy.url, '--scenario', scenario]);
    const [, passed = '0', all = ''] = /Passed: (\d+)\/(\d+)/.exec(out) ?? [];
    ran.push(`${scenario} ${passed}/${all}`);
    expect(code, `${out}${err}`).toBe(0);
    // A scenario that checks nothing passes too.
    expect(Number(passed), out).toBeGreaterThan(0);
    expect(passed).toBe(all);
  });
});
