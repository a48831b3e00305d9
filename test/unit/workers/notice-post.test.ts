/** One request to a real receiver on this machine. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { postNotice } from '../../../workers/notices/post.ts';
import { addressProblem } from '../../../workers/notices/public-address.ts';

const TEXT = {
  title: 'An instruction waits',
  object_id: 'ins_1',
  link: 'https://conductor.example.com/instructions/ins_1',
};
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function receiver(respond: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(respond);
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/topic`;
}

const post = (address: string, format: 'ntfy' | 'slack' | 'plain' = 'plain', timeoutMs?: number) =>
  postNotice({ address, secret: 'a-secret' }, format, TEXT, timeoutMs);

describe('a request to the receiver', () => {
  it.each([
    ['ntfy', 'An instruction waits: ins_1', 'text/plain; charset=utf-8'],
    ['slack', JSON.stringify({ text: `An instruction waits: ins_1\n<${TEXT.link}>` }), 'application/json'],
    ['plain', `An instruction waits: ins_1\n${TEXT.link}\n`, 'text/plain; charset=utf-8'],
  ] as const)('in the format %s has the line, the link and the secret', async (format, body, type) => {
    const got = Promise.withResolvers<[string, IncomingMessage['headers']]>();
    const address = await receiver((request, response) => {
      void text(request).then((sent) => got.resolve([sent, request.headers]));
      response.end();
    });
    expect(await post(address, format)).toBeNull();
    const [sent, headers] = await got.promise;
    expect(sent).toBe(body);
    expect(headers).toMatchObject({ authorization: 'Bearer a-secret', 'content-type': type });
    if (format === 'ntfy') expect(headers.click).toBe(TEXT.link);
  });

  it.each([
    [404, 'http_404'],
    [500, 'http_500'],
    [302, 'redirect'],
    [308, 'redirect'],
  ])('that is responded to with %i is %s, and goes to no other path', async (status, error) => {
    const paths: (string | undefined)[] = [];
    const address = await receiver((request, response) => {
      paths.push(request.url);
      response.writeHead(status, { location: '/other' }).end();
    });
    expect(await post(address)).toBe(error);
    expect(paths).toEqual(['/topic']);
  });

  it('that gets no response ends at its deadline', async () => {
    expect(await post(await receiver(() => undefined), 'plain', 50)).toBe('timeout');
  });

  it('whose response does not end is accepted, and its body is not read', async () => {
    const closed = Promise.withResolvers<void>();
    const address = await receiver((_request, response) => {
      response.on('close', closed.resolve);
      response.writeHead(200);
      response.write('x'.repeat(65_536));
    });
    expect(await post(address)).toBeNull();
    await closed.promise;
  });

  it('that no receiver takes names no address in its failure', async () => {
    const address = await receiver(() => undefined);
    for (const close of closers.splice(0)) close();
    expect(await post(address)).toBe('unreachable');
  });
});

describe('an address for notices', () => {
  it.each([
    'https://ntfy.sh/topic',
    'https://hooks.slack.com/services/T/B/x',
    'https://push.example.co.uk:8443/x?y=1',
    'https://1.1.1.1/x',
    'https://[2606:4700::1111]/x',
  ])('%s may be used', (address) => {
    expect(addressProblem(address)).toBeNull();
  });

  it.each([
    'http://ntfy.sh/topic',
    'ftp://ntfy.sh/topic',
    'ntfy.sh/topic',
    'https://user:password@ntfy.sh/topic',
    'https://localhost/x',
    'https://localhost./x',
    'https://printer/x',
    'https://nas.local/x',
    'https://metadata.google.internal/x',
    'https://host.localdomain/x',
    'https://api.default.svc/x',
    'https://web.service.consul/x',
    'https://127.0.0.1/x',
    'https://127.1/x',
    'https://0x7f000001/x',
    'https://2130706433/x',
    'https://0.0.0.0/x',
    'https://10.1.2.3/x',
    'https://100.64.0.1/x',
    'https://169.254.169.254/x',
    'https://172.31.255.255/x',
    'https://192.168.1.1/x',
    'https://192.88.99.1/x',
    'https://224.0.0.1/x',
    'https://255.255.255.255/x',
    'https://[::1]/x',
    'https://[::]/x',
    'https://[::ffff:127.0.0.1]/x',
    'https://[fe80::1]/x',
    'https://[fd00::1]/x',
    'https://[2002:7f00:1::]/x',
    'https://[2001:db8::1]/x',
    'https://[2001::1]/x',
    'https://[64:ff9b::7f00:1]/x',
  ])('%s is refused', (address) => {
    expect(addressProblem(address)).not.toBeNull();
  });

  it('on this machine may be used where the binding for tests allows it, and no other private one', () => {
    expect(addressProblem('http://127.0.0.1:8080/x', { local: true })).toBeNull();
    for (const address of ['http://127.0.0.2/', 'http://10.0.0.1/', 'http://localhost/', 'http://ntfy.sh/']) {
      expect(addressProblem(address, { local: true })).not.toBeNull();
    }
  });
});
