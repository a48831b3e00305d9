/** Browsers: what nodes report of them, resuming a stopped one, sending a prompt into one, and reading what one shows. */
import { z } from 'zod';
import {
  BrowserCurrentBodySchema,
  BrowserCurrentResponseSchema,
  BrowserQuerySchema,
  BrowserResponseSchema,
  BrowserSendBodySchema,
  BrowserSendResponseSchema,
} from '../../schema/contracts/browser.ts';
import {
  ClientMoveBodySchema,
  ClientPutBodySchema,
  ClientResumeBodySchema,
  ClientResumeResponseSchema,
  ClientSchema,
} from '../../schema/contracts/clients.ts';
import { ClientIdSchema, ControllerIdSchema, PlatformSchema } from '../../schema/contracts/common.ts';
import type { MountedRoute } from '../http/route.ts';
import { NODES, PEOPLE, READERS, read, write } from '../http/route.ts';
import { moveBrowser, reportBrowser, resumeByPerson } from '../renewal/browser-changes.ts';
import { readBrowser, sendPrompt } from './browser-calls.ts';
import { browserPage } from './browser-reads.ts';

const tag = 'browser';
const PlatformParams = z.object({ platform: PlatformSchema });

export const browsers: readonly MountedRoute[] = [
  write(
    {
      method: 'put',
      path: '/v1/controllers/:controller_id/clients/:client_id',
      summary: 'Report what a browser has: logins, request templates, tabs; its tabs become conversations and links',
      tag: 'controllers',
      roles: NODES,
      params: z.object({ controller_id: ControllerIdSchema, client_id: ClientIdSchema }),
      body: ClientPutBodySchema,
      data: ClientSchema,
      errors: ['client_of_other_node', 'too_many_browsers'],
    },
    async (call) => reportBrowser(call, call.params, call.body, call.ageMs),
  ),
  read(
    {
      method: 'get',
      path: '/v1/browser',
      summary: 'Browsers with their logins and request hooks, and the pace at which they are driven',
      tag,
      roles: READERS,
      query: BrowserQuerySchema,
      data: BrowserResponseSchema,
    },
    async ({ db, query }) => browserPage(db, query),
  ),
  write(
    {
      method: 'post',
      path: '/v1/browser/clients/:client_id/resume',
      summary: 'Resume a stopped browser; without a platform, on all of them',
      tag,
      roles: PEOPLE,
      params: z.object({ client_id: ClientIdSchema }),
      body: ClientResumeBodySchema,
      data: ClientResumeResponseSchema,
      errors: ['client_not_found'],
    },
    async (call) => resumeByPerson(call, call.params.client_id, call.body.platform ?? null),
  ),
  write(
    {
      method: 'post',
      path: '/v1/browser/clients/:client_id/move',
      summary: "Move a browser to another node: by an operator, or under the browser's own token",
      tag,
      roles: PEOPLE,
      params: z.object({ client_id: ClientIdSchema }),
      body: ClientMoveBodySchema,
      data: ClientSchema,
      errors: ['client_not_found', 'controller_not_found', 'not_owner'],
    },
    async (call) =>
      moveBrowser(call, call.principal, {
        client_id: call.params.client_id,
        controller_id: call.body.controller_id,
      }),
  ),
  write(
    {
      method: 'post',
      path: '/v1/browser/:platform/send',
      summary: 'Send a prompt into a chat of that platform; its outcome comes as an event',
      tag,
      roles: PEOPLE,
      params: PlatformParams,
      body: BrowserSendBodySchema,
      data: BrowserSendResponseSchema,
      errors: ['no_active_client', 'no_credentials', 'system_paused'],
    },
    async (call) => sendPrompt(call, call.params.platform, call.body),
  ),
  // No GET: it makes a browser read a page, and leaves a command behind.
  read(
    {
      method: 'post',
      path: '/v1/browser/:platform/current',
      summary: 'What a browser shows of that platform, or of one conversation there, as it reads it now',
      tag,
      roles: PEOPLE,
      params: PlatformParams,
      body: BrowserCurrentBodySchema,
      data: BrowserCurrentResponseSchema,
      errors: ['no_active_client', 'no_credentials', 'node_unreachable'],
    },
    async (call) => {
      const { c, db, now, principal, params, body } = call;
      const by = { principal, action: 'POST /v1/browser/:platform/current', request_id: c.var.requestId };
      const waitUntil = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
      const context = { db, now, by, idempotency: null, waitUntil };
      return readBrowser(call, context, params.platform, body.conversation_id ?? null);
    },
  ),
];
