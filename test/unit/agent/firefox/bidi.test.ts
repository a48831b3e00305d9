import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import { z } from 'zod';
import { Bidi } from '../../../../local-agent/firefox/bidi.ts';
import { BidiConnection } from '../../../../local-agent/firefox/bidi-connection.ts';
import { localValue, plainValue } from '../../../../local-agent/firefox/bidi-values.ts';

interface Request {
  id: number;
  method: string;
  params: Record<string, unknown>;
}

/** A Firefox that responds as `respond` says; null: not at all. */
async function fakeFirefox(respond: (request: Request) => object | string | null): Promise<string> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (ws) => {
    ws.on('message', (data) => {
      const response = respond(JSON.parse(data.toString()));
      if (response !== null) ws.send(typeof response === 'string' ? response : JSON.stringify(response));
    });
  });
  await once(server, 'listening');
  onTestFinished(() => {
    for (const ws of server.clients) ws.terminate();
    server.close();
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const AnythingSchema = z.unknown();

describe('a WebDriver BiDi connection', () => {
  it('a command without a response fails after its deadline and names itself', async () => {
    const connection = await BidiConnection.connect(await fakeFirefox(() => null));
    const call = connection.call('browser.close', {}, AnythingSchema, 20);
    await expect(call).rejects.toThrow('browser.close: timeout: no response within 20 ms');
  });

  it('a refused command fails with the name of the WebDriver error', async () => {
    const url = await fakeFirefox(({ id }) => ({ type: 'error', id, error: 'no such frame', message: 'gone' }));
    const connection = await BidiConnection.connect(url);
    await expect(connection.call('x.y', {}, AnythingSchema)).rejects.toMatchObject({ code: 'no such frame' });
  });

  it('a response that has another shape fails the command', async () => {
    const url = await fakeFirefox(({ id }) => ({ type: 'success', id, result: { other: 1 } }));
    const connection = await BidiConnection.connect(url);
    await expect(connection.call('x.y', {}, z.object({ extension: z.string() }))).rejects.toThrow('extension');
  });

  it('a message that is not BiDi ends the connection, and what is pending fails', async () => {
    const connection = await BidiConnection.connect(await fakeFirefox(() => 'not JSON'));
    await expect(connection.call('x.y', {}, AnythingSchema)).rejects.toMatchObject({ code: 'connection closed' });
  });

  it('an event that does not come fails after its deadline', async () => {
    const connection = await BidiConnection.connect(await fakeFirefox(() => null));
    await expect(connection.next('log.entryAdded', () => true, 20)).rejects.toThrow('no such event within 20 ms');
  });

  it('says which address does not accept a connection', async () => {
    await expect(BidiConnection.connect('ws://127.0.0.1:1/session')).rejects.toThrow(
      'ws://127.0.0.1:1/session does not accept WebDriver BiDi',
    );
  });
});

describe('a WebDriver BiDi session', () => {
  it('fails with the exception that a script throws', async () => {
    const url = await fakeFirefox(({ id, method }) =>
      method === 'script.evaluate'
        ? { type: 'success', id, result: { type: 'exception', exceptionDetails: { text: 'TypeError: no' } } }
        : { type: 'success', id, result: {} },
    );
    const bidi = await Bidi.open(url);
    await expect(bidi.evaluate('tab', 'x()')).rejects.toThrow('script.evaluate: exception: TypeError: no');
  });

  it('is refused with the reason of Firefox when another session is open', async () => {
    const url = await fakeFirefox(({ id }) => ({
      type: 'error',
      id,
      error: 'session not created',
      message: 'one only',
    }));
    await expect(Bidi.open(url)).rejects.toThrow('session.new: session not created: one only');
  });
});

describe('values of scripts', () => {
  it.each([
    [{ type: 'number', value: '-Infinity' }, Number.NEGATIVE_INFINITY],
    [{ type: 'null' }, null],
    [{ type: 'undefined' }, undefined],
    [
      {
        type: 'object',
        value: [
          ['list', { type: 'array', value: [{ type: 'string', value: 'a' }] }],
          [
            { type: 'number', value: 1 },
            { type: 'boolean', value: true },
          ],
        ],
      },
      { list: ['a'], '1': true },
    ],
    [
      { type: 'function', handle: 'h' },
      { type: 'function', handle: 'h' },
    ],
  ])('reads %j', (remote, plain) => {
    expect(plainValue(remote)).toEqual(plain);
  });

  it('passes a node by its id and anything else by its value', () => {
    expect(localValue([{ sharedId: 'n1' }, { a: null }])).toEqual({
      type: 'array',
      value: [{ sharedId: 'n1' }, { type: 'object', value: [['a', { type: 'null' }]] }],
    });
    expect(() => localValue(() => 1)).toThrow('a function cannot be passed to a page');
  });
});
