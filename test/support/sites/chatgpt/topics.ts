/** The WebSocket of the fake ChatGPT: a page subscribes to the topic of a turn and gets its stream in items. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import type { Frames } from './frames.ts';
import type { Turn } from './turn.ts';

interface Topic {
  items: string[];
  subscribers: Set<WebSocket>;
}

export class Topics {
  readonly #server = new WebSocketServer({ noServer: true });
  readonly #topics = new Map<string, Topic>();

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, socket, head, (client) => {
      client.on('message', (data) => {
        const [{ topic_id: id }] = JSON.parse(String(data)) as [{ topic_id: string }];
        const topic = this.#topic(id);
        topic.subscribers.add(client);
        client.send(JSON.stringify([{ type: 'reply', catchups: topic.items }]));
      });
    });
  }

  async publish(id: string, { first, second, end }: Frames, turn: Turn, finished: () => void): Promise<void> {
    this.#send(id, first);
    await turn.half?.opened;
    this.#send(id, second);
    finished();
    this.#send(id, end);
  }

  #topic(id: string): Topic {
    const topic = this.#topics.get(id) ?? { items: [], subscribers: new Set() };
    this.#topics.set(id, topic);
    return topic;
  }

  #send(id: string, text: string): void {
    const topic = this.#topic(id);
    for (const encoded of text.split(/(?<=\n\n)/)) {
      const item = { type: 'stream-item', stream_item_id: `${topic.items.length}`, turn_id: id, encoded_item: encoded };
      topic.items.push(encoded);
      const message = { type: 'message', topic_id: id, offset: `${topic.items.length}` };
      for (const client of topic.subscribers) {
        client.send(JSON.stringify([{ ...message, payload: { type: 'conversation-turn-stream', payload: item } }]));
      }
    }
  }
}
