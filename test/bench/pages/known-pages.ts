/** Two pages that people know, as their packages ship them. `npm ci --prefix test/bench/peers` installs them. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cleanup } from '../harness/cleanup.ts';
import type { ServedPage } from './served-page.ts';
import { filesPage } from './served-page.ts';

const MODULES = join(import.meta.dirname, '..', 'peers', 'node_modules');
const ABSENT = 'it is not installed; install it with: npm ci --prefix test/bench/peers';

type KnownPage = (cleanup: Cleanup) => Promise<ServedPage | { absent: string }>;

/** One operation: the time is that of the page, and not of drawing a large interface. */
const INTERFACE = {
  openapi: '3.0.3',
  info: { title: 'An interface', version: '1' },
  paths: { '/things': { get: { summary: 'All things', responses: { '200': { description: 'They are here.' } } } } },
};

const swaggerUi: KnownPage = async (cleanup) => {
  const folder = join(MODULES, 'swagger-ui-dist');
  if (!existsSync(folder)) return { absent: `Swagger UI: ${ABSENT}` };
  // As it ships, but for the address of the interface, which is on another host.
  const start = readFileSync(join(folder, 'swagger-initializer.js'), 'utf8');
  const texts = {
    '/swagger-initializer.js': start.replace(/url: "[^"]*"/, 'url: "/interface.json"'),
    '/interface.json': JSON.stringify(INTERFACE),
  };
  return await filesPage(cleanup, { name: 'Swagger UI, one operation', folder, texts, content: '.opblock' });
};

const bullBoard: KnownPage = async (cleanup) => {
  const folder = join(MODULES, '@bull-board', 'ui', 'dist');
  if (!existsSync(folder)) return { absent: `Bull Board: ${ABSENT}` };
  const values: Record<string, string> = { basePath: '/', title: 'Queues', uiConfig: '{}' };
  const html = readFileSync(join(folder, 'index.ejs'), 'utf8')
    // Its fonts are on another host; the browser takes those that it has.
    .replace(/<link href="https:[^>]*>/, '')
    .replaceAll(/<%[-=] (\w+) %>/g, (_all, name: string) => values[name] ?? '/static/images/logo.svg');
  const texts = { '/index.html': html, '/api/queues': JSON.stringify({ queues: [] }) };
  return await filesPage(cleanup, { name: 'Bull Board, no queue', folder, texts, content: '#root main' });
};

export const KNOWN_PAGES: readonly KnownPage[] = [swaggerUi, bullBoard];
