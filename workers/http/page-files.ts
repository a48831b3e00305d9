/**
 * The files of the status page, which the platform keeps as static assets. The Worker serves the page itself, so that the
 * rules of every response hold for it; its scripts and styles have hashed names and come from the platform directly
 * (`run_worker_first` in wrangler.toml).
 */
import type { Context } from 'hono';
import type { AppEnv } from '../env.ts';

/** The page runs its own files only, is shown in no frame, and asks no other origin. */
export const PAGE_HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  // A browser asks each time whether the page has changed, by its ETag.
  'cache-control': 'private, no-cache',
} as const;

/** What programs ask for: these paths have no page below them. */
const API = /^\/(v1|mcp|artifact|healthz)(\/|$)/;
const ENTRANCES: readonly string[] = ['/', '/ui', '/index.html'];

/** Whether a person's browser asks for a page. */
export function wantsPage(c: Context<AppEnv>): boolean {
  return /\btext\/html\b/.test(c.req.header('accept') ?? '');
}

/** Whether the path is an address of the status page: each of its objects has one. */
export function isPageAddress(c: Context<AppEnv>): boolean {
  const { path, raw } = c.req;
  if (raw.method !== 'GET' && raw.method !== 'HEAD') return false;
  return ENTRANCES.includes(path) || (!API.test(path) && wantsPage(c));
}

/** The page; with a status of 200 the platform decides whether the browser has it. */
export async function servePage(c: Context<AppEnv>, status = 200): Promise<Response> {
  const { ASSETS }: Partial<Env> = c.env;
  const etag = status === 200 ? c.req.header('if-none-match') : undefined;
  const headers: Record<string, string> = etag === undefined ? {} : { 'if-none-match': etag };
  const file = await ASSETS?.fetch(new Request(new URL('/', c.req.url), { method: c.req.raw.method, headers }));
  if (file === undefined || (!file.ok && file.status !== 304)) return c.text('the status page was not built', 503);
  const response = new Response(file.body, { status: status === 200 ? file.status : status, headers: file.headers });
  for (const [name, value] of Object.entries(PAGE_HEADERS)) response.headers.set(name, value);
  return response;
}
