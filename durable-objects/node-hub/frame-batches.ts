/** Frames of many sockets that are passed on together: renewals to the lease, and receipts to the Worker. */
import type { EdgeFrame } from '../../schema/contracts/channel-frames.ts';
import type { Receipt } from '../../schema/contracts/commands.ts';
import type { LeaseRenewal } from '../../schema/contracts/objects.ts';
import { edgeBackend } from '../backend.ts';
import type { ObjectsEnv } from '../env.ts';
import { logProblem } from '../shared/log.ts';
import { sendFrame } from '../shared/sockets.ts';
import { TurnBatch } from '../shared/turn-batch.ts';
import { leaderLease } from '../stubs.ts';
import { sendError } from './node-sockets.ts';

interface RequestedRenewal {
  socket: WebSocket;
  renewal: LeaseRenewal;
}
interface SentReceipt {
  nodeId: string;
  receipt: Receipt;
}

/** Renews the lease for many sockets in one call; each socket gets the result of its own renewal. */
export function renewalBatch(env: ObjectsEnv): TurnBatch<RequestedRenewal> {
  return new TurnBatch(
    async (requested) => {
      const result = await leaderLease(env).renewAll(requested.map(({ renewal }) => renewal));
      requested.forEach(({ socket }, index) => {
        const response = result.status === 'ok' ? result.responses[index] : undefined;
        if (response) sendFrame(socket, { type: 'lease.result', ...response } satisfies EdgeFrame);
        else sendError(socket, 'lease.renew', 'internal');
      });
    },
    (requested, error) => {
      logProblem('hub.renew', error);
      for (const { socket } of requested) sendError(socket, 'lease.renew', 'internal');
    },
  );
}

/** Reports receipts to the Worker, one call for each node. */
export function receiptBatch(ctx: DurableObjectState): TurnBatch<SentReceipt> {
  return new TurnBatch(
    async (sent) => {
      const backend = edgeBackend(ctx);
      const byNode = Map.groupBy(sent, ({ nodeId }) => nodeId);
      await Promise.all(
        Array.from(byNode, ([nodeId, items]) =>
          backend.receipts(
            nodeId,
            items.map(({ receipt }) => receipt),
          ),
        ),
      );
    },
    // The commands stay pending, so they are sent again after the next hello.
    (_sent, error) => logProblem('hub.receipts', error),
  );
}
