/**
 * What several checks ask of the edge and of the agent, each asked once. Tokens are sent only to an address that a source
 * names, as by every command.
 */
import { z } from 'zod';
import { pageOf } from '../../schema/contracts/common.ts';
import type { SystemHealth } from '../../schema/contracts/health.ts';
import { SystemHealthSchema } from '../../schema/contracts/health.ts';
import type { Status } from '../../schema/contracts/status.ts';
import { StatusSchema } from '../../schema/contracts/status.ts';
import type { Session, Token } from '../../schema/contracts/tokens.ts';
import { SessionSchema, TokenSchema } from '../../schema/contracts/tokens.ts';
import type { ResolvedConfig } from '../config/resolve.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import { EdgeError } from '../edge/http-client.ts';
import type { ServiceState } from '../service/state.ts';
import { RefusedRequestSchema } from '../store/read-refused.ts';
import { Skipped } from './check.ts';
import type { Contact, Machine, NoContact } from './machine.ts';

/** An agent or edge that is this late counts as hung. */
export const HUNG_MS = 3_000;
const EDGE_MS = 5_000;

export const AgentSnapshotSchema = z.looseObject({
  identity: z.looseObject({ pid: z.number().int(), version: z.string() }),
  outbox: z.looseObject({ pending: z.number().int(), refused: z.array(RefusedRequestSchema) }),
  clients: z.array(
    z.looseObject({
      client_id: z.string(),
      connected: z.boolean(),
      /** Null while it is not connected, and from an agent of an earlier version. */
      extension_version: z.string().nullable().default(null),
    }),
  ),
  warnings: z.array(z.string()),
  /** An agent of an earlier version does not name it. */
  program_path: z.looseObject({ path: z.string() }).optional(),
});
export type AgentSnapshot = z.infer<typeof AgentSnapshotSchema>;

export interface Facts {
  /** The edge's response to a request without a token. */
  edgeContact: () => Promise<Contact | NoContact>;
  /** Who a token is at the edge. @throws Skipped without a token or contact, EdgeError when it is refused */
  session: (token: string | null) => Promise<Session>;
  /** The tokens that the operator may list. @throws Skipped, EdgeError */
  tokens: () => Promise<Token[]>;
  /** @throws Skipped, EdgeError */
  health: () => Promise<SystemHealth>;
  /** @throws Skipped, EdgeError */
  status: () => Promise<Status>;
  /** The agent's response to a request without a token. @throws Skipped when none runs here */
  agentContact: () => Promise<Contact | NoContact>;
  /** @throws Skipped */
  agent: () => Promise<AgentSnapshot>;
  /** The service of this root; null when it has none, or that is not known. */
  service: () => Promise<ServiceState | null>;
}

export type Connect = (baseUrl: string, token: string) => EdgeClient;

function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | null = null;
  return () => {
    asked ??= ask();
    return asked;
  };
}

/** Why a token of the edge or agent cannot be used for a question, in one line. */
function whyRefused(what: string, error: unknown): Error {
  if (!(error instanceof EdgeError)) return error instanceof Error ? error : new Error(String(error));
  return new Skipped(`${what}: ${error.message}`);
}

export interface FactSources {
  root: string;
  machine: Machine;
  connect: Connect;
}

export function factsOf(resolved: () => ResolvedConfig, { root, machine, connect }: FactSources): Facts {
  const call = async <T>(base: string, token: string, path: string, schema: z.ZodType<T>): Promise<T> => {
    const client = connect(base, token);
    try {
      return await client.call({ method: 'GET', path, timeoutMs: EDGE_MS, schema });
    } finally {
      await client.close();
    }
  };
  const edgeBase = (): string => {
    const { config, origins, system } = resolved();
    if (origins.controlApiBase !== 'default') return config.controlApiBase;
    throw new Skipped(system === 'unknown' ? 'no edge is known for this root' : 'the system of this root does not run');
  };
  const edgeContact = once(async () => machine.get(`${edgeBase()}/healthz`, EDGE_MS));
  const requireEdge = async (): Promise<string> => {
    const base = edgeBase();
    if ('reason' in (await edgeContact())) throw new Skipped('the edge cannot be reached');
    return base;
  };
  const ask = async <T>(path: string, schema: z.ZodType<T>): Promise<T> => {
    const base = await requireEdge();
    const { operatorToken } = resolved().config;
    if (operatorToken === null) throw new Skipped("there is no operator's token, which the edge wants for it");
    return call(base, operatorToken, path, schema);
  };
  const agentContact = once(async () => {
    const { config, origins } = resolved();
    if (config.localApi === null) throw new Skipped('the local API of the agent is off');
    if (origins.localApi === 'default') throw new Skipped('no agent runs in this root');
    return machine.get(`${config.localApi}/healthz`, HUNG_MS);
  });
  return {
    edgeContact,
    session: async (token) => {
      const base = await requireEdge();
      if (token === null) throw new Skipped('there is no token');
      return call(base, token, '/v1/session', SessionSchema);
    },
    tokens: once(async () => (await ask('/v1/tokens?limit=200', pageOf(TokenSchema))).items),
    health: once(() => ask('/v1/system/health', SystemHealthSchema)),
    status: once(() => ask('/v1/status', StatusSchema)),
    agentContact,
    service: once(async () => {
      const state = await machine.serviceOf(root).catch(() => null);
      const isOwn = state?.installed === true && !state.stale.some(({ code }) => code === 'other_root');
      return isOwn ? state : null;
    }),
    agent: once(async () => {
      if ('reason' in (await agentContact())) throw new Skipped('the agent does not respond');
      const { localApi, sharedToken } = resolved().config;
      if (sharedToken === null) throw new Skipped("there is no node's token, which the agent wants for it");
      try {
        return await call(localApi ?? '', sharedToken, '/v1/status', AgentSnapshotSchema);
      } catch (error) {
        throw whyRefused('the agent does not say', error);
      }
    }),
  };
}
