/** The operations of our lease, by the two ways there are, with a holder and as many contenders as there are lanes. */
import type { Cleanup } from '../harness/cleanup.ts';
import type { LeasePeer } from '../peers/peer.ts';
import { Conductor } from './conductor.ts';

type Ways = Omit<LeasePeer, 'name'>;

export async function startLease(cleanup: Cleanup, lanes: number): Promise<{ overChannel: Ways; overHttp: Ways }> {
  const conductor = await Conductor.start(cleanup);
  const holder = await conductor.node('holder');
  const contenders = await conductor.nodes(lanes, 'contender');
  let term = await conductor.acquire(holder);
  const socket = await conductor.channel(holder);
  const sockets = await Promise.all(contenders.map((node) => conductor.channel(node)));
  const contender = <T>(all: readonly T[], lane: number): T => {
    const one = all[lane];
    if (one === undefined) throw new RangeError(`there is no lane ${lane}`);
    return one;
  };
  const acquireAndRelease = async (): Promise<void> => {
    await conductor.release(holder, term);
    term = await conductor.acquire(holder);
  };
  return {
    overChannel: {
      renew: () => conductor.renew(socket, term),
      refused: (lane) => conductor.renew(contender(sockets, lane), term, false),
      acquireAndRelease,
    },
    overHttp: {
      renew: async () => void (await conductor.acquire(holder)),
      refused: async (lane) => void (await conductor.acquire(contender(contenders, lane), false)),
      acquireAndRelease,
    },
  };
}
