/** The page of the fake claude.ai. */
import type { MountEditor, MountedEditor } from '../../editors/page/editor.ts';
import type { PageConfig } from '../page-files.ts';
import { ConnectTransport } from './connect.ts';
import { JsonTransport } from './json.ts';
import { element, Thread } from './thread.ts';
import type { Send, Transport, TransportEvents } from './transport.ts';

declare const fakeEditor: { mountEditor: MountEditor };

/** What a test may do in place of a menu of the page. */
export interface FakePage {
  retry(): void;
  edit(text: string): void;
  open(path: string): void;
  readonly editor: MountedEditor;
}

const LABELS = {
  en: { send: 'Send message', stop: 'Stop response' },
  de: { send: 'Nachricht senden', stop: 'Antwort stoppen' },
};
const CHAT = /^\/chat\/([0-9a-f-]{36})$/;

const config = JSON.parse(document.querySelector('#config')?.textContent ?? '{}') as PageConfig;
const { organizationId, language = 'en' } = config;
const isMerged = config.accounts === 'merged';
const hasTestIds = config.isOlderPage !== true;
const place = (selector: string) => {
  const found = document.querySelector<HTMLElement>(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return found;
};
const dock = place('#dock');
const nav = place('nav');
const thread = new Thread(place('#thread'), config);
let conversationId = '';
let isRunning = false;

const events: TransportEvents = {
  clear: () => thread.clear(),
  put(turn, leaf) {
    thread.put(turn);
    thread.leaf = leaf;
    thread.render();
  },
  running(now) {
    isRunning = now;
    showButtons();
  },
  failed(reason) {
    banner(`Failed to send: ${reason}`, { 'data-fake-failure': '' });
  },
};
const transport: Transport = isMerged
  ? new ConnectTransport(events, organizationId, config.gzip === true)
  : new JsonTransport(events, organizationId);

function banner(text: string, attributes: Record<string, string> = {}): HTMLElement {
  const made = element('div', { 'data-cds': 'Banner', ...attributes });
  made.textContent = text;
  dock.prepend(made);
  return made;
}

if (location.pathname === '/login') {
  place('#thread').innerHTML =
    '<h1>Sign in</h1><form><input type="email"><button data-testid="login-with-google">G</button></form>';
} else start();

function start(): void {
  const form = document.createElement('fieldset');
  const buttons = element('div', { id: 'buttons' });
  dock.append(form);
  const attributes: Record<string, string> = hasTestIds ? { 'data-testid': 'chat-input' } : {};
  const chip = (_document: Document, name: string) => {
    const made = element('div', { 'data-testid': 'file-thumbnail' });
    made.textContent = name;
    return made;
  };
  const editor = fakeEditor.mountEditor(form, { attributes, attachmentAbove: 4000, chip, untrustedEnterSends: true });
  form.append(buttons);
  editor.onSubmit = () => submit(editor);
  editor.onChange = showButtons;
  (window as unknown as { fakePage: FakePage }).fakePage = {
    editor,
    retry: () => ask('retry', ''),
    edit: (text) => ask('edit', text),
    open(path) {
      history.pushState(null, '', path);
      show();
    },
  };
  if (config.showsOldVersion) {
    const old = banner("You're viewing an earlier version");
    const back = element('button', { 'data-testid': 'hub-earlier-version-back' });
    back.textContent = 'Back to latest version';
    old.append(' · ', back);
  }
  if (config.limitBanner !== null) banner(config.limitBanner);
  addEventListener('popstate', show);
  void fetch('/api/bootstrap');
  void fetch('/api/account');
  show();
  showButtons();
}

function showButtons(): void {
  const { editor } = (window as unknown as { fakePage: FakePage }).fakePage;
  const kind = isRunning ? 'stop' : 'send';
  const names: Record<string, string> = hasTestIds ? { 'data-testid': `chat-input-${kind}` } : {};
  const button = element('button', { 'aria-label': LABELS[language][kind], ...names }) as HTMLButtonElement;
  button.textContent = LABELS[language][kind];
  button.disabled = !isRunning && (editor.text().trim() === '' || config.showsOldVersion);
  button.onclick = () => (isRunning ? transport.stop(conversationId) : submit(editor));
  place('#buttons').replaceChildren(button);
}

/** Shows what the address names. */
function show(): void {
  const [, id = ''] = CHAT.exec(location.pathname) ?? [];
  showList(id);
  if (id === conversationId) return;
  conversationId = id;
  thread.clear();
  thread.render();
  if (id !== '') transport.open(id, false);
}

function showList(openId: string): void {
  if (openId !== '' && !config.chats.includes(openId) && !isIncognito()) config.chats.push(openId);
  const links = config.chats.map((id) => {
    const link = element('a', { href: `/chat/${id}`, ...(id === openId && { 'aria-current': 'page' }) });
    link.textContent = `Chat ${id.slice(0, 8)}`;
    return link;
  });
  nav.replaceChildren(...links);
}

function isIncognito(): boolean {
  return new URLSearchParams(location.search).has('incognito');
}

function submit(editor: MountedEditor): void {
  const text = editor.text();
  if (text.trim() === '' || isRunning || config.showsOldVersion) return;
  editor.clear();
  ask('message', text);
}

function ask(kind: Send['kind'], text: string): void {
  const isNew = conversationId === '';
  if (isNew) {
    conversationId = crypto.randomUUID();
    transport.open(conversationId, true);
    history.pushState(null, '', `/chat/${conversationId}${isIncognito() ? '?incognito' : ''}`);
    showList(conversationId);
  }
  const question = thread.branch.findLast((turn) => turn.role === 'human');
  const parentId = { message: thread.leaf, retry: question?.id ?? '', edit: question?.parentId ?? '' }[kind];
  void transport.send({
    conversationId,
    isTemporary: isNew && isIncognito(),
    humanId: crypto.randomUUID(),
    assistantId: crypto.randomUUID(),
    text,
    parentId,
    kind,
  });
}
