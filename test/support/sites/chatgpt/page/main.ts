/** The page of the fake ChatGPT: draws the conversation, sends what the composer holds, follows the answer. */
import type { MountEditor, MountedEditor } from '../../editors/page/editor.ts';
import { ACCESS_TOKEN } from '../../secrets.ts';
import type { PageSettings } from '../html.ts';
import type { Question } from './requests.ts';
import { converse, isStreaming, load, Refusal, resume, session } from './requests.ts';
import type { Follower, Shown } from './turn-stream.ts';
import type { ViewMessage } from './view.ts';
import { drawLeftPage, drawNotice, drawTurn, element } from './view.ts';

declare const fakeEditor: { mountEditor: MountEditor };

const settings = JSON.parse(document.getElementById('fake-settings')?.textContent ?? '{}') as PageSettings;
const STATUS_EVERY_MS = 50;
const LABELS = {
  en: { voice: 'Start Voice', send: 'Send prompt', stop: 'Stop streaming' },
  zh: { voice: '开始语音', send: '发送提示', stop: '停止流式传输' },
  eo: { voice: 'Vocho', send: 'Sendi', stop: 'Haltigi' },
}[settings.language];

const isShell = settings.renderer === 'app-shell';
const isTemporary = new URLSearchParams(location.search).get('temporary-chat') === 'true';
const messages: ViewMessage[] = [];
let conversationId: string | null = /\/c\/([0-9a-f-]{36})$/.exec(location.pathname)?.[1] ?? null;
let isAnswering = false;

const nav = element('nav');
const thread = element('div', { id: 'thread' });
const status = element('div', { id: 'status' });
const button = element('button', { type: isShell ? 'submit' : 'button' });
const form = element('form', isShell ? { 'data-chatgpt-composer': '' } : {});
const main = element('main', isShell ? { 'data-app-shell-active-page': 'true' } : {}, thread, status, form);
let editor: MountedEditor;

function draw(): void {
  const shown = messages.slice(-settings.shownMessages);
  const first = messages.length - shown.length;
  const actions = { regenerate: () => void again(), edit: (id: string, text: string) => void edit(id, text) };
  thread.replaceChildren(...shown.map((one, at) => drawTurn(one, first + at, settings, actions)));
  if (conversationId !== null) {
    nav.replaceChildren(
      element('a', { href: `/c/${conversationId}`, 'aria-current': 'page', 'data-active': '' }, 'A chat'),
    );
  }
  drawButton();
}

/** The legacy renderer has a button for each act; the app shell one button with three labels. */
function drawButton(): void {
  const hasText = editor.text() !== '' || editor.attachments().length > 0;
  const act = isAnswering ? 'stop' : hasText ? 'send' : 'voice';
  button.setAttribute('aria-label', LABELS[act]);
  button.textContent = act === 'stop' ? '◼' : act === 'send' ? '↑' : '🎙';
  if (isShell) button.className = 'bg-composer-primary';
  else {
    button.id = act === 'voice' ? '' : 'composer-submit-button';
    button.dataset.testid = act === 'voice' ? 'composer-speech-button' : `${act}-button`;
  }
  button.onclick = (event) => {
    event.preventDefault();
    if (act === 'send') submit();
  };
}

function submit(): void {
  const text = editor.text();
  if (isAnswering || text === '') return;
  editor.clear();
  const parent = messages.at(-1)?.id ?? 'client-created-root';
  void ask({ id: crypto.randomUUID(), text, parent, action: 'next', conversationId, isTemporary });
}

async function again(): Promise<void> {
  const question = messages.findLast(({ role }) => role === 'user');
  if (!question) return;
  messages.splice(messages.indexOf(question) + 1);
  await follow({ ...question, parent: question.id, action: 'variant', conversationId, isTemporary });
}

async function edit(id: string, text: string): Promise<void> {
  const at = messages.findIndex((one) => one.id === id);
  const parent = messages[at - 1]?.id ?? 'client-created-root';
  messages.splice(at);
  await ask({ id: crypto.randomUUID(), text, parent, action: 'next', conversationId, isTemporary });
}

async function ask(question: Question): Promise<void> {
  messages.push({ id: question.id, role: 'user', text: question.text, isFinished: true });
  await follow(question);
}

async function follow(question: Question): Promise<void> {
  isAnswering = true;
  status.textContent = '';
  if (conversationId === null && !isTemporary && settings.provisionalMs !== null) {
    history.pushState(null, '', `/c/WEB:${crypto.randomUUID()}`);
  }
  draw();
  try {
    const follower = await converse(question, settings, show);
    if (follower.error !== null) status.textContent = follower.error;
    if (follower.variants > 1)
      messages.push({
        id: crypto.randomUUID(),
        role: 'assistant',
        text: 'The other',
        isFinished: true,
        isVariant: true,
      });
  } catch (error) {
    status.textContent = error instanceof Refusal ? error.message : 'Something went wrong.';
  }
  isAnswering = false;
  draw();
}

function show({ conversationId: named, id, text, isFinished }: Shown): void {
  if (conversationId === null && named !== null) bind(named);
  const known = messages.find((one) => one.id === id);
  if (known) Object.assign(known, { text, isFinished });
  else messages.push({ id, role: 'assistant', text, isFinished });
  draw();
}

function bind(id: string): void {
  conversationId = id;
  if (!isTemporary) setTimeout(() => history.replaceState(null, '', `/c/${id}`), settings.provisionalMs ?? 0);
}

async function open(id: string): Promise<void> {
  messages.splice(0, messages.length, ...(await load(id, settings.reading)));
  draw();
  if (messages.at(-1)?.isFinished ?? true) return;
  isAnswering = true;
  draw();
  const follower: Follower | null = await resume(id, show);
  if (follower === null) {
    while (await isStreaming(id)) await new Promise((resolve) => setTimeout(resolve, STATUS_EVERY_MS));
    messages.splice(0, messages.length, ...(await load(id, settings.reading)));
  }
  isAnswering = false;
  draw();
}

async function start(): Promise<void> {
  const host = element('div');
  form.append(host, element('textarea', { name: 'prompt-textarea', hidden: '' }), button);
  const root = document.getElementById('root');
  const notice = drawNotice(settings);
  root?.append(nav, ...(isShell ? [drawLeftPage(settings)] : []), main, ...(notice ? [notice] : []));
  if (!settings.isSignedIn) nav.append(element('button', { 'data-testid': 'login-button' }, 'Log in'));
  document.getElementById('pending-home-input')?.remove();
  editor = fakeEditor.mountEditor(host, {
    attributes: isShell ? { role: 'textbox', 'aria-multiline': 'true' } : { id: 'prompt-textarea' },
    attachmentAbove: settings.attachmentAbove,
    chip: (_document, name) => element('div', { class: 'group/file-tile', role: 'group', 'aria-label': name }, name),
    untrustedEnterSends: true,
  });
  editor.onChange = drawButton;
  editor.onSubmit = submit;
  form.onsubmit = (event) => event.preventDefault();
  draw();
  await session();
  if (settings.isSignedIn) await fetch('/backend-api/me', { headers: { authorization: `Bearer ${ACCESS_TOKEN}` } });
  if (conversationId !== null) await open(conversationId).catch(() => (status.textContent = 'Not found'));
}

void start();
