/** The pages of the fake ChatGPT. Its script draws the conversation; what matters before that is here. */
import { fileURLToPath } from 'node:url';
import { pageScript as bundledScript } from '../bundle.ts';
import { ACCESS_TOKEN, EMAIL } from '../secrets.ts';
import type { ChatgptControl } from './turn.ts';

export function pageScript(): Promise<string> {
  return bundledScript(fileURLToPath(new URL('page/main.ts', import.meta.url)));
}

/** What the page knows of the test's settings. */
export type PageSettings = Omit<ChatgptControl, 'turns' | 'refusals' | 'isChallenged' | 'userId' | 'isResumable'>;

const STYLE = `
  body { font: 15px sans-serif; margin: 0 auto; max-width: 46rem; padding: 1rem; color: #222; background: #fff }
  html.dark body { color: #eee; background: #222 }
  nav { font-size: 13px } .sr-only { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
  article, [data-turn-key] { margin: 1rem 0 } [data-message-author-role=user], [data-unit=user] { background: #8883; padding: .5rem 1rem; border-radius: 1rem; white-space: pre-wrap }
  pre, [data-markdown-copy=code-block] { background: #8882; padding: .5rem; border-radius: .4rem; overflow: auto }
  .cm-editor { height: 8rem } .ProseMirror { white-space: pre-wrap; border: 1px solid #888; border-radius: 1rem; padding: .7rem; min-height: 1.4rem; max-height: 12rem; overflow: auto }
`;

function json(value: object): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}

export function chatPage(control: ChatgptControl): string {
  const {
    isSignedIn,
    userId,
    isResumable: _isResumable,
    turns: _turns,
    refusals: _refusals,
    isChallenged: _isChallenged,
    ...settings
  } = control;
  const bootstrap = isSignedIn
    ? {
        authStatus: 'logged_in',
        session: { user: { id: userId, email: EMAIL }, accessToken: ACCESS_TOKEN },
      }
    : { authStatus: 'logged_out' };
  return `<!doctype html><html lang="${control.language}"><meta charset="utf-8"><title>ChatGPT</title><style>${STYLE}</style>
<script type="application/json" id="client-bootstrap">${json(bootstrap)}</script>
<script type="application/json" id="fake-settings">${json({ ...settings, isSignedIn } satisfies PageSettings)}</script>
<body><textarea id="pending-home-input" hidden></textarea><div id="root"></div>
<script src="/fake-editors/prosemirror.js"></script><script src="/assets/page.js"></script></body></html>`;
}

export function challengePage(): string {
  return `<!doctype html><html><meta charset="utf-8"><title>Just a moment...</title>
<body><form id="challenge-form" action="/"></form><p>Verifying you are human.</p></body></html>`;
}
