/** Pages to load, each served on loopback and compressed, as a platform does in front of a Worker and a CDN in front of files. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { compress } from 'hono/compress';
import { proxy } from 'hono/proxy';
import { getMimeType } from 'hono/utils/mime';
import type { Cleanup } from '../harness/cleanup.ts';
import { PhoneNetwork } from './phone-network.ts';

/** A browser keeps its connections while a page loads. */
const KEEP_ALIVE_MS = 600_000;

export interface ServedPage {
  name: string;
  /** Behind the network of a phone. */
  url: string;
  /** A selector of what a person came for. */
  content: string;
  /** Opened without the slow network before the page is loaded, for its cookies. */
  signInUrl?: () => Promise<string>;
}

/** The app behind the network of a phone; resolves with its address. */
async function serve(cleanup: Cleanup, app: Hono): Promise<string> {
  const outer = new Hono().use(compress()).route('/', app);
  const server = createServer(getRequestListener(outer.fetch));
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup.add(server, (one) => {
    one.closeAllConnections();
    one.close();
  });
  const { port } = server.address() as AddressInfo;
  const network = await PhoneNetwork.open(`http://127.0.0.1:${port}`);
  return cleanup.add(network, (one) => one.close()).url;
}

/** The page of an edge in the local runtime, which does not compress. */
export async function edgePage(cleanup: Cleanup, edgeUrl: string, page: Omit<ServedPage, 'url'>): Promise<ServedPage> {
  const app = new Hono().all('*', ({ req }) => {
    const { pathname, search } = new URL(req.url);
    return proxy(new URL(pathname + search, edgeUrl), { ...req, headers: req.header(), signal: req.raw.signal });
  });
  return { ...page, url: `${await serve(cleanup, app)}/` };
}

/** Files of `folder`, and before them the texts that are given for some paths. */
export async function filesPage(
  cleanup: Cleanup,
  { folder, texts, ...page }: Omit<ServedPage, 'url'> & { folder: string; texts: Readonly<Record<string, string>> },
): Promise<ServedPage> {
  const app = new Hono().get('*', async ({ req, body }) => {
    const path = req.path === '/' ? '/index.html' : req.path;
    const type = { 'content-type': getMimeType(path) ?? 'application/json' };
    const text = texts[path] ?? (await readFile(join(folder, path)).catch(() => null));
    return text === null ? body('', 404) : body(text, 200, type);
  });
  return { ...page, url: `${await serve(cleanup, app)}/` };
}
