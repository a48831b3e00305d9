import { describe, expect, it } from 'vitest';
import type { CommandDeps } from '../../../../local-agent/commands/deps.ts';
import type { Seen } from '../../../../local-agent/commands/watch.ts';
import { watched } from '../../../../local-agent/commands/watch.ts';
import { EdgeError } from '../../../../local-agent/edge/http-client.ts';
import { commandWorld } from '../../../support/command-deps.ts';

const away = () => {
  throw new EdgeError('network', 0, 'network', 'http://edge cannot be reached');
};

const ENTER = '\u001b[?1049h';
const LEAVE = '\u001b[?1049l';
const CLEAR = '\u001b[H\u001b[2J';

const keep = (into: string[]) => (bytes: Uint8Array) => void into.push(Buffer.from(bytes).toString('utf8'));

/** Watches what these looks see, one after the other; the person stops at the last one. Pauses pass at once. */
async function watch(
  looks: readonly (string | (() => never))[],
  over: Partial<CommandDeps> = {},
  args = { watch: true },
) {
  const pauses: number[] = [];
  let stop = () => {};
  const stopped = new Promise<'SIGINT'>((resolve) => {
    stop = () => resolve('SIGINT');
  });
  const left = [...looks];
  const world = commandWorld(() => null, { stopSignal: () => stopped, ...over });
  const clock = {
    ...{ now: () => 0, monotonic: () => 0 },
    after: (ms: number, run: () => void) => {
      pauses.push(ms);
      if (left.length === 0) stop();
      else run();
      return () => undefined;
    },
  };
  const look = async (deps: CommandDeps): Promise<Seen> => {
    const next = left.shift() ?? '';
    if (typeof next !== 'string') return next();
    deps.print(next);
    return { facts: () => next.replace(/ \d+ s/, ''), isOver: next === 'ended' };
  };
  const code = await watched(args, { ...world.deps, clock }, look);
  return { code, out: world.out, err: world.err, pauses, left };
}

describe('what is watched', () => {
  it('a pipe gets a further snapshot after each change, and none for an age', async () => {
    const { code, out } = await watch(['a 1 s', 'a 2 s', 'b 3 s', 'b 4 s']);
    expect([code, out]).toEqual([0, ['a 1 s', '', 'b 3 s']]);
  });

  it('a pipe of JSON has no empty lines', async () => {
    const { out } = await watch(['{"a":1}', '{"a":2}'], {}, { watch: true, json: true } as { watch: true });
    expect(out).toEqual(['{"a":1}', '{"a":2}']);
  });

  it('a terminal shows each look in place of the one before on its second screen; the last one remains on the first', async () => {
    const { out } = await watch(['a 1 s', 'a 2 s'], { isTerminal: true });
    expect(out).toEqual([`${ENTER}${CLEAR}`, 'a 1 s', CLEAR, 'a 2 s', LEAVE, 'a 2 s']);
  });

  it('nothing that it sends removes what scrolled out of a terminal', async () => {
    const { out } = await watch(['a', 'ended'], { isTerminal: true });
    expect(out.join('')).not.toContain('[3J');
  });

  it('an error gives the terminal back, and an error of the first look finds it untouched', async () => {
    const world: string[] = [];
    const over = { isTerminal: true, print: (line: string) => void world.push(line), printBytes: keep(world) };
    const refused = () => {
      throw new EdgeError('status', 403, 'forbidden', 'no');
    };
    await expect(watch(['a', refused], over)).rejects.toThrow('no');
    expect(world.slice(-2)).toEqual([LEAVE, 'a']);
    world.length = 0;
    await expect(watch([refused], over)).rejects.toThrow('no');
    expect(world).toEqual([]);
  });

  it('it ends by itself when nothing more can come', async () => {
    const { out, left } = await watch(['a', 'ended', 'never']);
    expect([out, left]).toEqual([['a', '', 'ended'], ['never']]);
  });

  it('the pauses grow to five seconds while nothing changes, and begin again with a change', async () => {
    const { pauses } = await watch(['a', 'a', 'a', 'a', 'a', 'a', 'b', 'b']);
    expect(pauses).toEqual([1_000, 1_500, 2_250, 3_375, 5_000, 5_000, 1_000, 1_500]);
  });

  it('an edge that goes away is looked for again', async () => {
    const { code, out, err } = await watch(['a', away, 'b']);
    expect([code, out]).toEqual([0, ['a', '', 'b']]);
    expect(err).toEqual(['http://edge cannot be reached; trying again until Ctrl-C']);
  });

  it('an edge that is away at the first look is an error', async () => {
    await expect(watch([away])).rejects.toThrow('http://edge cannot be reached');
  });

  it('without --watch it looks once', async () => {
    const { out, left } = await watch(['a', 'b'], {}, { watch: false } as unknown as { watch: true });
    expect([out, left]).toEqual([['a'], ['b']]);
  });
});
