/** The wire of the tests in a real Firefox, which searches what leaves the browser. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { BridgeWire } from '../../support/sites/bridge-wire.ts';
import { SECRET } from '../../support/sites/secrets.ts';

async function joined() {
  const agent = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(agent, 'listening');
  const { port } = agent.address() as AddressInfo;
  const wire = new BridgeWire(() => `http://127.0.0.1:${port}`);
  await wire.open();
  onTestFinished(async () => {
    await wire.close();
    agent.close();
  });
  agent.on('connection', (socket) => socket.on('message', (data) => socket.send(`got ${String(data)}`)));
  const browser = new WebSocket(`${wire.url.replace('http', 'ws')}/ws/firefox`);
  await once(browser, 'open');
  const says = async (text: string): Promise<string> => {
    browser.send(text);
    const [data] = await once(browser, 'message');
    return String(data);
  };
  return { wire, says };
}

it('a frame of the browser that has a secret of a site fails the test at its end', async () => {
  const { wire, says } = await joined();
  expect(await says('{"type":"hello"}')).toBe('got {"type":"hello"}');
  wire.expectNoSecret();
  await says(`{"page_url":"https://chatgpt.com/?token=${SECRET}"}`);
  expect(() => wire.expectNoSecret()).toThrow('1 frames of the extension have a secret of a site');
});

it('a test in which no frame has passed proves nothing, and fails', async () => {
  const { wire } = await joined();
  expect(() => wire.expectNoSecret()).toThrow('no frame');
});
