/** Pairs this browser by the code that `conductor pair` shows. The socket stays open until a person has confirmed it. */
import type { ExtensionFrame } from '../../../schema/contracts/bridge-frames.ts';
import { AgentBridgeFrameSchema } from '../../../schema/contracts/bridge-frames.ts';
import { BRIDGE } from '../../../schema/defaults.ts';
import type { Clock } from '../../lib/clock.ts';
import { bridgeUrl } from '../../lib/settings.ts';
import type { OpenSocket } from './socket.ts';

export type PairOutcome =
  | { ok: true; token: string }
  /** `message`: what the agent says, or null. */
  | { ok: false; reason: 'bad_address' | 'unreachable' | 'refused' | 'too_late'; message: string | null };

export interface PairDeps {
  openSocket: OpenSocket;
  clock: Clock;
}

export interface PairOrder {
  agentUrl: string;
  clientId: string;
  code: string;
}

function read(data: unknown): { token: string } | { message: string } | null {
  try {
    const { data: frame } = AgentBridgeFrameSchema.safeParse(JSON.parse(String(data)));
    if (frame?.type === 'paired') return { token: frame.token };
    return frame?.type === 'error' ? { message: frame.message } : null;
  } catch {
    return null;
  }
}

export function pairByCode({ openSocket, clock }: PairDeps, order: PairOrder): Promise<PairOutcome> {
  const url = bridgeUrl(order.agentUrl);
  if (url === null) return Promise.resolve({ ok: false, reason: 'bad_address', message: null });
  return new Promise((resolve) => {
    const socket = openSocket(url);
    let wasOpen = false;
    let said: string | null = null;
    const finish = (outcome: PairOutcome) => {
      cancel();
      socket.listen(null);
      socket.close();
      resolve(outcome);
    };
    const cancel = clock.after(BRIDGE.pairing_window_ms, () =>
      finish({ ok: false, reason: 'too_late', message: null }),
    );
    socket.listen({
      onOpen() {
        wasOpen = true;
        const pair: ExtensionFrame = { type: 'pair', code: order.code.trim().slice(0, 16), client_id: order.clientId };
        socket.send(JSON.stringify(pair));
      },
      onMessage(data) {
        const frame = read(data);
        if (frame === null) return;
        if ('token' in frame) finish({ ok: true, token: frame.token });
        else said = frame.message;
      },
      onClose: (_code, reason) =>
        finish({ ok: false, reason: wasOpen ? 'refused' : 'unreachable', message: said ?? (reason || null) }),
    });
  });
}
