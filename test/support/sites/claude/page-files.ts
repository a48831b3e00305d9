/** The page of the fake claude.ai: its HTML, and its script as Firefox gets it. */
import { fileURLToPath } from 'node:url';
import { pageScript as bundledScript } from '../bundle.ts';

export interface FakeClaudeOptions {
  accounts: 'merged' | 'legacy';
  /** How rows of assistants are named: by their own id, by the message that they answer, late, or not at all. */
  turnKeys?: 'own' | 'hub' | 'late' | 'none';
  language?: 'en' | 'de';
  /** Only the newest rows are in the document. */
  newestRows?: number;
  /** As in an older page, the composer and its buttons have no names for tests. */
  isOlderPage?: boolean;
  /** Whether the page packs its actions with gzip. */
  gzip?: boolean;
}

export interface PageConfig extends FakeClaudeOptions {
  organizationId: string;
  showsOldVersion: boolean;
  limitBanner: string | null;
  /** The conversations in the list. */
  chats: string[];
}

export function pageScript(): Promise<string> {
  return bundledScript(fileURLToPath(new URL('page/main.ts', import.meta.url)));
}

const STYLE = `
  body { margin: 0; font: 16px/1.5 Georgia, serif; background: #faf9f5; color: #141413; display: flex; height: 100vh }
  nav { width: 15rem; padding: 1rem; background: #f0eee6; overflow: hidden; font: 14px sans-serif }
  nav a { display: block; padding: .3rem; color: inherit; text-decoration: none; white-space: nowrap }
  nav a[aria-current] { background: #e3dfd3; border-radius: 6px }
  main { flex: 1; display: flex; flex-direction: column; max-width: 48rem; margin: 0 auto; padding: 1rem; min-width: 0 }
  #thread { flex: 1; overflow: auto }
  [data-perf-row=human], .human { background: #f0eee6; border-radius: 12px; padding: .2rem 1rem; margin: 1rem 0 }
  pre { background: #fff; border: 1px solid #ddd; border-radius: 8px; padding: .6rem; overflow: auto }
  .code-head { font: 12px sans-serif; color: #777; display: flex; justify-content: space-between }
  fieldset { border: 1px solid #ccc; border-radius: 16px; background: #fff; padding: .8rem }
  .ProseMirror { min-height: 3rem; max-height: 10rem; overflow: auto; outline: none; white-space: pre-wrap }
  .ProseMirror p { margin: 0 }
  [data-cds=Banner] { background: #fbe9d9; border-radius: 8px; padding: .5rem 1rem; margin: .5rem 0; font: 14px sans-serif }
`;

export function pageHtml(config: PageConfig): string {
  const json = JSON.stringify(config).replaceAll('<', '\\u003c');
  return `<!doctype html><html lang="${config.language ?? 'en'}"><meta charset="utf-8"><title>Claude</title>
<style>${STYLE}</style><script type="application/json" id="config">${json}</script>
<body><nav></nav><main><div id="thread"></div><div id="dock"></div></main>
<script src="/fake-editors/prosemirror.js"></script><script src="/fake-claude.js"></script></body></html>`;
}
