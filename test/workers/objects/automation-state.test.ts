import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { automationState } from '../../../durable-objects/stubs.ts';
import type { SystemMode } from '../../../schema/contracts/system.ts';
import { SYSTEM_MODES } from '../../../schema/contracts/system.ts';
import { fenceRow, freshEdge, modeStub, muteLog, withoutFence } from './support.ts';

const state = automationState(env);
const change = (mode: SystemMode, reason: string | null = null) => state.change({ mode, requested_by: 'ops', reason });

beforeEach(freshEdge);

describe('AutomationState', () => {
  it('is running at first', async () => {
    expect(await state.read()).toMatchObject({ mode: 'running', version: 0, epoch: 0 });
    expect(await state.ensureFence()).toBe(true);
  });

  it('has mode and version in D1 before it acknowledges a change', async () => {
    expect(await change('paused', 'lunch')).toMatchObject({
      status: 'applied',
      record: { mode: 'paused', version: 1, reason: 'lunch' },
    });
    expect(await fenceRow()).toMatchObject({ mode: 'paused', mode_version: 1 });
  });

  it('keeps the mode through an eviction', async () => {
    await change('draining');
    await evictDurableObject(modeStub());
    expect(await state.read()).toMatchObject({ mode: 'draining', version: 1, requested_by: 'ops' });
    expect(await change('running')).toMatchObject({ record: { version: 2 } });
  });

  it('does not change by a repeat', async () => {
    const first = await change('paused', 'first');
    expect(await change('paused', 'second')).toEqual({ ...first, status: 'unchanged' });
  });

  it('keeps a reason in any language unchanged', async () => {
    const reason = '维护中 — “später” 🛑\n"quoted"';
    await change('paused', reason);
    await evictDurableObject(modeStub());
    expect((await state.read()).reason).toBe(reason);
  });

  it('gives each of many concurrent changes its own version, and D1 gets the last one', async () => {
    const modes = Array.from({ length: 24 }, (_, index) => SYSTEM_MODES[index % SYSTEM_MODES.length] ?? 'running');
    const results = await Promise.all(modes.map((mode) => change(mode)));
    const applied = results.flatMap((result) => (result.status === 'applied' ? [result.record] : []));
    expect(new Set(applied.map((record) => record.version)).size).toBe(applied.length);
    const last = await state.read();
    expect(Math.max(...applied.map((record) => record.version))).toBe(last.version);
    expect(await fenceRow()).toMatchObject({ mode: last.mode, mode_version: last.version });
  });
});

describe('AutomationState when something fails', () => {
  it('acknowledges no change while D1 lags, a repeat included, and raises the fence later', async () => {
    await withoutFence(async () => {
      expect(await change('paused')).toEqual({ status: 'fence_lag' });
      expect(await change('paused')).toEqual({ status: 'fence_lag' });
      expect(await state.ensureFence()).toBe(false);
      await evictDurableObject(modeStub());
      expect(await change('running')).toEqual({ status: 'fence_lag' });
    });
    expect(await fenceRow()).toMatchObject({ mode: 'running', mode_version: 0 });
    expect(await change('paused')).toMatchObject({ status: 'unchanged', record: { version: 1 } });
    expect(await fenceRow()).toMatchObject({ mode: 'paused', mode_version: 1 });
  });

  it('gets the version after one that D1 has and it did not set', async () => {
    await env.DB.exec("UPDATE fence SET mode = 'draining', mode_version = 5");
    expect(await change('paused')).not.toEqual({ status: 'fence_lag' });
    expect(await state.read()).toMatchObject({ mode: 'paused', version: 6 });
    expect(await fenceRow()).toMatchObject({ mode: 'paused', mode_version: 6 });
  });

  it('does not keep in memory a mode that it could not store', async () => {
    await change('draining');
    await runInDurableObject(modeStub(), (_object, { storage }) => {
      storage.put = async () => {
        throw new Error('disk full');
      };
    });
    const log = muteLog();
    const paused = async () => change('paused');
    await expect(paused).rejects.toThrow();
    expect(log).toHaveBeenCalled();
    log.mockRestore();
    expect(await state.read()).toMatchObject({ mode: 'draining', version: 1 });
    expect(await fenceRow()).toMatchObject({ mode: 'draining', mode_version: 1 });
  });
});

describe('a raw request that is forwarded to AutomationState', () => {
  const body = (args: unknown) => JSON.stringify(args);
  it.each([
    ['another method', 'call/reset', body([])],
    ['its storage', 'call/destroy', body([{ reset: true }])],
    ['an inherited method', 'call/constructor', body([])],
    ['a property', 'get-prop/record', body([])],
    ['an assignment', 'set/record', body({ mode: 'running' })],
    ['an unknown mode', 'call/change', body([{ mode: 'off', requested_by: null, reason: null }])],
    ['a change without arguments', 'call/change', body([])],
    ['arguments that are not JSON', 'call/change', '{'],
    ['a path around it', 'call/read/../reset', body([])],
  ])('is refused when it names %s', async (_name, path, content) => {
    await change('paused');
    const response = await modeStub().fetch(`https://edge/do/${path}`, { headers: { 'do-content': content } });
    expect(response.status).toBe(404);
    await response.body?.cancel();
    expect(await state.read()).toMatchObject({ mode: 'paused', version: 1 });
  });
});
