/** A conductor whose notices are sent to the real receiver of receiver.ts. */
import { inject } from 'vitest';
import type { Notices } from '../../../schema/contracts/notices.ts';
import { ASKED, bringTo } from '../instructions/support.ts';
import type { Received } from '../receiver.ts';
import { Conductor } from '../support/conductor.ts';

const MINUTE_MS = 60_000;

export class Notified extends Conductor {
  /** Of the receiver, for this test alone. */
  path = '';

  constructor() {
    super({ BAA_NOTICES_LOCAL: '1' });
  }

  /** From now on notices go to a new path of the receiver, which behaves like that. Someone leads, unless the test says otherwise. */
  async sendTo(behaviour: string, more: Record<string, unknown> = {}): Promise<Notices> {
    this.path = `/${behaviour}/${crypto.randomUUID()}`;
    return this.put({ address: inject('receiver') + this.path, ...more });
  }

  put(body: Record<string, unknown>): Promise<Notices> {
    return this.edge.data<Notices>('PUT', '/v1/notices', { body });
  }

  notices(): Promise<Notices> {
    return this.edge.data<Notices>('GET', '/v1/notices');
  }

  /** An instruction that waits for a person. */
  async ask(): Promise<string> {
    const { ids } = await bringTo(this, [ASKED]);
    return ids[0] ?? '';
  }

  async later(minutes: number): Promise<void> {
    this.edge.now += minutes * MINUTE_MS;
    await this.tick();
  }

  /** What the receiver got at a path, by default that of this test. */
  async received(path = this.path): Promise<Received[]> {
    const response = await fetch(`${inject('receiver')}/seen${path}`);
    return (await response.json()) as Received[];
  }
}
