/** The documents of the fake Gemini. */
import type { PageConfig } from './plan.ts';

export interface Session {
  /** `at`: a request without it is refused. */
  token: string;
  build: string;
  session: string;
  accountId: string;
  email: string;
}

export const PAGE_SCRIPT = '/fake-gemini/page.js';

export function appDocument(config: PageConfig, session: Session): string {
  return `<!doctype html>
<html lang="${config.language}">
<head>
<meta charset="utf-8"><title>Gemini</title>
<script nonce="x">window.WIZ_global_data = ${inScript(globalData(config, session))};</script>
<script type="application/json" id="fake-config">${inScript(config)}</script>
<style>
body { font-family: sans-serif; margin: 0; display: grid; grid-template-columns: 12rem 1fr; min-height: 100vh; }
nav { padding: 1rem; background: #f0f4f9; } .selected { font-weight: bold; }
main { padding: 1rem; } pre { background: #f0f4f9; padding: .5rem; }
.ql-editor { border: 1px solid #999; border-radius: 1rem; padding: .5rem; min-height: 3rem; white-space: pre-wrap; }
.ql-clipboard { position: absolute; left: -100000px; height: 1px; overflow: hidden; }
.cdk-visually-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
</style>
</head>
<body><script src="${PAGE_SCRIPT}"></script></body>
</html>`;
}

/** What Google shows in place of a page when it wants to see a person. */
export const CHALLENGE_DOCUMENT = `<!doctype html>
<html><head><title>Sorry…</title></head>
<body><form id="captcha-form" action="/sorry/index" method="post">Our systems have detected unusual traffic.</form></body>
</html>`;

function globalData({ isSignedIn, language }: PageConfig, session: Session): Record<string, unknown> {
  const known = { FdrFJe: session.session, cfb2h: session.build, TuX5cc: language, LVIXXb: 1, S06Grb: '' };
  if (!isSignedIn) return known;
  return { ...known, S06Grb: session.accountId, SNlM0e: session.token, oPEP7c: session.email };
}

function inScript(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}
