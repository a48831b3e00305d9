import { describe, expect, it } from 'vitest';
import { Claims } from '../../../../local-agent/tasks/claims.ts';
import type { RunsHost } from '../../../../local-agent/tasks/host.ts';
import type { NoRunReason } from '../../../../schema/contracts/runs.ts';
import { NODE_RUNS } from '../../../../schema/defaults.ts';
import { TestClock } from '../../../support/test-clock.ts';

const { claim_interval_ms: OFTEN, idle_claim_interval_ms: RARELY } = NODE_RUNS;

/** A node whose edge gives nothing. */
function openScene() {
  const clock = new TestClock();
  const scene = { clock, idle: true, fails: false, isOffered: true, room: 1, claims: 0, reason: 'nothing_to_claim' };
  const call = async () => {
    scene.claims += 1;
    if (scene.fails) throw new Error('no network');
    return { run: null, reason: scene.reason as NoRunReason, idle: scene.idle };
  };
  const runs = { claimKey: () => 'key', forgetClaimKey: () => undefined };
  const host = { clock, edge: { call }, runs, nodeId: 'a', log: { warn: () => undefined } } as unknown as RunsHost;
  const claims = new Claims({
    host,
    offers: () => ({ repos: [], executors: ['shell'] }),
    term: () => 1,
    mayClaim: () => true,
    room: () => scene.room,
    isOffered: () => scene.isOffered,
    newKey: () => 'key',
    onResponse: () => undefined,
    onRun: () => undefined,
  });
  return Object.assign(scene, { start: () => claims.start(), wake: () => claims.wake() });
}

describe('a node asks for work by itself', () => {
  it('rarely while offers reach it and no task is open', async () => {
    const scene = openScene();
    scene.start();
    await scene.clock.elapse(RARELY - 1);
    expect(scene.claims).toBe(1);
    await scene.clock.elapse(1);
    expect(scene.claims).toBe(2);
  });

  it.each([
    ['a task is open, as one may become ready without an offer', { idle: false }],
    ['its channel is closed, so that no offer reaches it', { isOffered: false }],
    ['its claim has failed', { fails: true }],
  ])('often while %s', async (_when, state) => {
    const scene = Object.assign(openScene(), state);
    scene.start();
    await scene.clock.elapse(3 * OFTEN);
    expect(scene.claims).toBe(4);
  });

  it('soon after its channel closes', async () => {
    const scene = openScene();
    scene.start();
    await scene.clock.elapse(OFTEN + 1);
    scene.isOffered = false;
    await scene.clock.elapse(OFTEN);
    expect(scene.claims).toBe(2);
  });

  it('at once when a step is offered', async () => {
    const scene = openScene();
    scene.start();
    await scene.clock.elapse(OFTEN);
    scene.wake();
    expect(scene.claims).toBe(2);
  });

  it('soon after it had no room, also when the edge said before that no task is open', async () => {
    const scene = openScene();
    scene.start();
    await scene.clock.elapse(1);
    scene.room = 0;
    scene.wake();
    await scene.clock.elapse(1);
    scene.room = 1;
    await scene.clock.elapse(OFTEN);
    expect(scene.claims).toBe(2);
  });
});
