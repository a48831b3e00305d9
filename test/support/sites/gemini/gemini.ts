/**
 * A fake gemini.google.com: it stores conversations, streams answers as planned, and records what it has received. The
 * page is page/main.ts, with the real Quill as its composer.
 */
import type { ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { pageScript } from '../bundle.ts';
import { EMAIL, SECRET } from '../secrets.ts';
import type { FakeSite, SiteRequest } from '../site.ts';
import { Conversations } from './conversations.ts';
import type { Session } from './document.ts';
import { appDocument, CHALLENGE_DOCUMENT, PAGE_SCRIPT } from './document.ts';
import type { AnswerPlan, PageConfig, ReceivedSend } from './plan.ts';
import { streamAnswer } from './stream.ts';
import { body, readingPart, TRAILER } from './wire-format.ts';

const SERVICE = /^(\/u\/\d+)?\/_\/BardChatUi\/data\/(.+)$/;
const STREAM = 'assistant.lamda.BardFrontendService/StreamGenerate';
const USUAL: PageConfig = { language: 'en', isSignedIn: true, isTemporary: false, keepsTurns: null };
const HTML = { 'content-type': 'text/html; charset=utf-8' };
const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };

export class FakeGemini implements FakeSite {
  readonly hosts = ['gemini.google.com'];
  readonly conversations = new Conversations();
  /** What pages sent as messages, oldest first. */
  readonly sends: ReceivedSend[] = [];
  /** How the next messages are answered, in order. Without a plan, an answer repeats the question. */
  readonly plans: AnswerPlan[] = [];
  /** Conversations that were read, oldest first. */
  readonly readings: string[] = [];
  readonly config: PageConfig = { ...USUAL };
  /** Who is signed in at the addresses of an account, where it is another than usual. */
  readonly people = new Map<string, string>();
  /** Each page is a security check. */
  isChallenged = false;
  /** Each request of a page is refused with 401: the session has ended. */
  isSessionEnded = false;

  /** Back to the usual, for the next test. Stored conversations stay. */
  reset(): void {
    Object.assign(this.config, USUAL);
    for (const kept of [this.sends, this.plans, this.readings]) kept.length = 0;
    this.people.clear();
    this.isChallenged = false;
    this.isSessionEnded = false;
  }

  async handle(request: SiteRequest, response: ServerResponse): Promise<void> {
    const { pathname } = request.url;
    const [, account = '', method] = SERVICE.exec(pathname) ?? [];
    if (pathname === PAGE_SCRIPT) await serveScript(response);
    else if (method === undefined) this.#serveDocument(pathname, response);
    else if (this.isSessionEnded) response.writeHead(401, JSON_TYPE).end(body([]));
    else if (method === STREAM) await this.#answer(account, request, response);
    else this.#batch(account, request, response);
  }

  /** The session of an account. */
  sessionOf(account: string): Session {
    const number = this.people.get(account) ?? (account.slice('/u/'.length) || '0');
    return {
      token: `AJ${SECRET}${number}:1795600000`,
      build: 'boq_assistant-bard-web-server_20261110.05_p0',
      session: `-77${number}`,
      accountId: `1000000000000000000${number}`,
      email: `${number}${EMAIL}`,
    };
  }

  #serveDocument(pathname: string, response: ServerResponse): void {
    if (this.isChallenged) {
      response.writeHead(429, HTML).end(CHALLENGE_DOCUMENT);
      return;
    }
    const [account = ''] = /^\/u\/\d+/.exec(pathname) ?? [];
    response.writeHead(200, HTML).end(appDocument(this.config, this.sessionOf(account)));
  }

  async #answer(account: string, request: SiteRequest, response: ServerResponse): Promise<void> {
    const asked = readQuestion(request.body);
    const plan = this.plans.shift() ?? { text: `You said: ${asked.text}` };
    const status = asked.token === this.sessionOf(account).token ? (plan.refusal?.status ?? 200) : 400;
    const { text, follows, isTemporary } = asked;
    this.sends.push({ text, follows, isTemporary, account, status });
    if (status !== 200) return refuse(response, status, plan);
    if (plan.error && !plan.error.after) {
      return await streamAnswer(response, plan, { ...follows, question: text, answers: [] }, []);
    }
    const turn = this.conversations.begin(follows, text);
    const answers = [plan.text, ...(plan.drafts ?? [])].map((one) => this.conversations.newAnswer(one));
    this.conversations.store(turn, answers);
    await streamAnswer(response, plan, turn, answers);
  }

  #batch(account: string, request: SiteRequest, response: ServerResponse): void {
    const form = new URLSearchParams(request.body.toString());
    if (form.get('at') !== this.sessionOf(account).token) {
      response.writeHead(400, JSON_TYPE).end(body([]));
      return;
    }
    const calls = JSON.parse(form.get('f.req') ?? '[[]]') as [string, string][][];
    const parts = (calls[0] ?? []).map(([rpc, argument]) => this.#call(rpc, argument));
    response.writeHead(200, JSON_TYPE).end(body([parts, ...TRAILER]));
  }

  #call(rpc: string, argument: string): unknown[] {
    if (rpc !== 'hNvQHb') return ['wrb.fr', rpc, '[]', null, null, null, 'generic'];
    const [conversation = '', count = 10] = JSON.parse(argument) as [string?, number?];
    this.readings.push(conversation);
    return readingPart(this.conversations.of(conversation).slice(-count).toReversed());
  }
}

interface Question {
  text: string;
  token: string;
  follows: ReceivedSend['follows'];
  isTemporary: boolean;
}

function readQuestion(bytes: Buffer): Question {
  const form = new URLSearchParams(bytes.toString());
  const [, json] = JSON.parse(form.get('f.req') ?? '[null,"[]"]') as [null, string];
  const inner = JSON.parse(json) as unknown[];
  const [text] = inner[0] as [string];
  const [conversation = '', turn = '', answer = ''] = inner[2] as string[];
  return { text, token: form.get('at') ?? '', follows: { conversation, turn, answer }, isTemporary: inner[45] === 1 };
}

function refuse(response: ServerResponse, status: number, { refusal }: AnswerPlan): void {
  const retry = refusal?.retryAfter === undefined ? {} : { 'retry-after': refusal.retryAfter };
  response.writeHead(status, { ...(refusal?.isHtml ? HTML : JSON_TYPE), ...retry });
  response.end(refusal?.isHtml ? CHALLENGE_DOCUMENT : body([]));
}

async function serveScript(response: ServerResponse): Promise<void> {
  const script = await pageScript(fileURLToPath(new URL('page/main.ts', import.meta.url)), 'fakeGemini');
  response.writeHead(200, { 'content-type': 'text/javascript; charset=utf-8' }).end(script);
}
