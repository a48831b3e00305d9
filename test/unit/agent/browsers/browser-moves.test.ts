import { expect, it } from 'vitest';
import { followMoves } from '../../../../local-agent/browsers/browser-moves.ts';
import type { EdgeClient, EdgeRequest } from '../../../../local-agent/edge/http-client.ts';
import { EdgeError } from '../../../../local-agent/edge/http-client.ts';
import { Emitter } from '../../../../local-agent/lib/emitter.ts';

function setUp({
  token = 'token-of-ff',
  edge = (): unknown => null as unknown,
}: {
  token?: string | null;
  edge?: () => unknown;
} = {}) {
  const seen: unknown[] = [];
  const disowned = new Emitter<string>();
  const settled = Promise.withResolvers<void>();
  const client: Pick<EdgeClient, 'call'> = {
    async call<T>({ method, path, body, token: by }: EdgeRequest<T>): Promise<T> {
      seen.push([method, path, body, by]);
      return edge() as T;
    },
  };
  const log = {
    info: () => settled.resolve(),
    warn: (_fields: unknown, message: string) => {
      seen.push(message);
      settled.resolve();
    },
  } as never;
  const clients = { disowned, reportAgain: (id: string) => void seen.push(`report ${id}`) };
  const connected = { tokenOf: () => token };
  followMoves({ edge: client, nodeId: 'node-b', clients, connected, log }, () => void seen.push('moved'));
  return { seen, disowned, settled: settled.promise };
}
const MOVE = ['POST', '/v1/browser/clients/ff/move', { controller_id: 'node-b' }, 'token-of-ff'];

it('a browser that came from another node is moved under its own token, reported again, and its messages are sent', async () => {
  const { seen, disowned, settled } = setUp();
  disowned.emit('ff');
  await settled;
  expect(seen).toEqual([MOVE, 'report ff', 'moved']);
});

it('a browser whose token does not move it is left where it is, with words that say what to do', async () => {
  const { seen, disowned, settled } = setUp({
    edge: () => {
      throw new EdgeError('status', 403, 'not_owner', 'no');
    },
  });
  disowned.emit('ff');
  await settled;
  expect(seen).toEqual([MOVE, expect.stringContaining('pair it with this node')]);
});

it('a browser that is not connected is not moved', () => {
  const { seen, disowned } = setUp({ token: null });
  disowned.emit('ff');
  expect(seen).toEqual([]);
});
