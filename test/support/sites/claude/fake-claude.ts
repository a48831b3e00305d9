/**
 * A fake claude.ai for both kinds of accounts: `merged` uses Connect-RPC with protobuf, `legacy` JSON and server-sent
 * events. Its page has a real ProseMirror and the marks that the live page had in October 2026.
 */
import type { ServerResponse } from 'node:http';
import { EMAIL, SECRET } from '../secrets.ts';
import type { FakeSite, SiteRequest } from '../site.ts';
import type { FakeAnswer } from './answers.ts';
import { CHALLENGE } from './answers.ts';
import { FakeConversation } from './conversations.ts';
import type { FakeClaudeOptions } from './page-files.ts';
import { pageHtml, pageScript } from './page-files.ts';
import { serveCompletion } from './rest-side.ts';
import type { RpcDeps } from './rpc-side.ts';
import { RpcSide } from './rpc-side.ts';

export const ORGANIZATION = '0f0f0f0f-0000-4000-8000-000000000000';
export const ACCOUNT = 'acacacac-0000-4000-8000-000000000000';
const RPC_PATH = /^\/claudeai-rpc\/anthropic\.bard\.api\.v1alpha\.ConversationService\/(\w+)$/;
const CONVERSATION_PATH = /^\/api\/organizations\/[0-9a-f-]{36}\/chat_conversations\/([0-9a-f-]{36})(?:\/(\w+))?$/;

export class FakeClaude implements FakeSite {
  readonly hosts = ['claude.ai'];
  readonly options: FakeClaudeOptions;
  /** `challenge`: a security check in place of everything. `expired`: the page is there, its requests are refused. */
  session: 'fresh' | 'signed_out' | 'expired' | 'challenge' = 'fresh';
  /** The page shows an older branch. */
  showsOldVersion = false;
  /** A banner says that a limit is reached. */
  limitBanner: string | null = null;
  /** The next answers; without one, the site repeats what it was sent. */
  readonly answers: FakeAnswer[] = [];
  /** The texts that were sent, as the server has them. */
  readonly sends: { conversationId: string; text: string; wasGzip: boolean }[] = [];
  readonly conversations = new Map<string, FakeConversation>();
  readonly rpc: RpcSide;
  readonly #deps: RpcDeps;

  constructor(options: FakeClaudeOptions) {
    this.options = options;
    this.#deps = {
      conversation: (id, isTemporary) => this.conversation(id, isTemporary),
      nextAnswer: (text) => this.answers.shift() ?? { text: `You said: ${text}` },
      onSend: (send) => this.sends.push(send),
    };
    this.rpc = new RpcSide(this.#deps);
  }

  conversation(id: string, isTemporary = false): FakeConversation {
    const known = this.conversations.get(id) ?? new FakeConversation(id, isTemporary);
    this.conversations.set(id, known);
    return known;
  }

  async handle(request: SiteRequest, response: ServerResponse): Promise<void> {
    const { pathname } = request.url;
    if (this.session === 'challenge') {
      response.writeHead(CHALLENGE.status, CHALLENGE.headers).end(CHALLENGE.body);
    } else if (pathname === '/fake-claude.js') {
      response.writeHead(200, { 'content-type': 'text/javascript; charset=utf-8' }).end(await pageScript());
    } else if (pathname.startsWith('/api/') || RPC_PATH.test(pathname)) await this.#serveData(request, response);
    else this.#servePage(pathname, response);
  }

  #servePage(pathname: string, response: ServerResponse): void {
    if (this.session === 'signed_out' && pathname !== '/login') {
      response.writeHead(302, { location: '/login' }).end();
      return;
    }
    const { options, showsOldVersion, limitBanner } = this;
    const chats = [...this.conversations.values()].filter((one) => !one.isTemporary).map((one) => one.id);
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'set-cookie': [
        `lastActiveOrg=${ORGANIZATION}; Path=/; Secure`,
        `sessionKey=${SECRET}-cookie; Path=/; Secure; HttpOnly`,
      ],
    });
    response.end(pageHtml({ ...options, organizationId: ORGANIZATION, showsOldVersion, limitBanner, chats }));
  }

  async #serveData(request: SiteRequest, response: ServerResponse): Promise<void> {
    const { url, method } = request;
    const json = (status: number, body: object) =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (this.session !== 'fresh') {
      return json(401, { type: 'error', error: { type: 'authentication_error', message: 'Invalid authorization' } });
    }
    const [, rpcMethod] = RPC_PATH.exec(url.pathname) ?? [];
    if (rpcMethod) {
      if (this.options.accounts === 'merged') return this.rpc.handle(rpcMethod, request, response);
      return json(403, { code: 'permission_denied', message: 'This feature is not included in your current plan' });
    }
    const [, conversationId, action] = CONVERSATION_PATH.exec(url.pathname) ?? [];
    if (conversationId && method === 'POST' && action?.endsWith('completion')) {
      return await serveCompletion(this.#deps, conversationId, request, response);
    }
    const conversation = conversationId === undefined ? undefined : this.conversations.get(conversationId);
    if (conversation && method === 'GET') return json(200, conversation.tree());
    const body = ACCOUNT_BODIES[url.pathname];
    return body
      ? json(200, body)
      : json(404, { type: 'error', error: { type: 'not_found_error', message: 'Not found' } });
  }
}

const organization = { uuid: ORGANIZATION, name: 'Secret name', capabilities: ['chat'] };
const account = { uuid: ACCOUNT, email_address: EMAIL, memberships: [{ organization }] };
const ACCOUNT_BODIES: Record<string, object> = {
  '/api/account': account,
  '/api/bootstrap': { account },
  '/api/organizations': [organization],
};
