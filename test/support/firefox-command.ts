/** `conductor firefox` beside a whole system, both as a person runs them: shell lines with an empty home folder. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { defaultDeps } from '../../local-agent/commands/deps.ts';
import { examine } from '../../local-agent/commands/doctor.ts';
import type { FindingReport } from '../../local-agent/doctor/report.ts';
import { Bidi } from '../../local-agent/firefox/bidi.ts';
import { until } from './cluster.ts';
import { FIREFOX } from './sites/open-firefox.ts';
import type { Ended } from './system.ts';
import { RunningLine } from './system.ts';

const ReadySchema = z.strictObject({
  ready: z.literal(true),
  pid: z.number().int(),
  profile: z.string(),
  bidi_url: z.string().optional(),
  extension_origin: z.string(),
  client_id: z.string(),
});
export type Ready = z.infer<typeof ReadySchema>;

const SystemSchema = z.object({ edge_url: z.string(), agent_url: z.string(), ops_token_file: z.string() });
const ClientSchema = z.object({ client_id: z.string(), origin: z.string(), connected: z.boolean() });
const StatusSchema = z.object({ identity: z.object({ pid: z.number() }), clients: z.array(ClientSchema) });
const TokenSchema = z.object({ token_id: z.string(), subject: z.string(), revoked_at: z.number().nullable() });

export class FirefoxScene {
  readonly home: string;
  readonly agentUrl: string;
  readonly edgeUrl: string;
  readonly #system: RunningLine;
  readonly #operatorToken: string;

  private constructor(home: string, system: RunningLine, ready: z.infer<typeof SystemSchema>) {
    this.home = home;
    this.agentUrl = ready.agent_url;
    this.edgeUrl = ready.edge_url;
    this.#system = system;
    this.#operatorToken = readFileSync(ready.ops_token_file, 'utf8').trim();
  }

  static async start(): Promise<FirefoxScene> {
    const home = mkdtempSync(join(tmpdir(), 'conductor-home-'));
    const system = new RunningLine('npm start -- --port 0 --agent-port 0 --json', home);
    const ready = SystemSchema.parse(JSON.parse(await system.prints(/^\{"ready".*$/m)));
    return new FirefoxScene(home, system, ready);
  }

  get root(): string {
    return join(this.home, '.baa');
  }

  /** What doctor finds about browsers; `version`: that of the program, when it is another. */
  async browserFindings(version: string = defaultDeps.version): Promise<FindingReport[]> {
    const deps = { ...defaultDeps, version, env: { PATH: process.env.PATH, npm_lifecycle_event: 'conductor' } };
    const { checks } = await examine({ root: this.root }, deps, { fix: false });
    return checks.find(({ id }) => id === 'browsers')?.findings ?? [];
  }

  /**
   * Starts the command, which can reach nothing outside this machine.
   * `advised`: the line of npm that starts it, as doctor prints it.
   */
  firefox(options: string, advised = 'npm run conductor -- firefox'): FirefoxCommand {
    const silent = advised.replace('npm run ', 'npm run -s ');
    const line = `exec ${silent} --firefox ${FIREFOX} --headless --json ${options}`;
    return new FirefoxCommand(new RunningLine(line, this.home, { MOZ_DISABLE_NONLOCAL_CONNECTIONS: '1' }));
  }

  /** The snapshot of the agent; null while it does not respond. */
  async agent(): Promise<z.infer<typeof StatusSchema> | null> {
    const token = readFileSync(join(this.root, 'state', 'shared.token'), 'utf8').trim();
    const data = await get(`${this.agentUrl}/v1/status`, token).catch(() => null);
    return data === null ? null : StatusSchema.parse(data);
  }

  async browser(clientId: string): Promise<z.infer<typeof ClientSchema> | undefined> {
    return (await this.agent())?.clients.find(({ client_id }) => client_id === clientId);
  }

  /** The tokens of that browser that are valid. */
  async tokensOf(clientId: string): Promise<string[]> {
    const data = await get(`${this.edgeUrl}/v1/tokens`, this.#operatorToken);
    const items = z.object({ items: z.array(TokenSchema) }).parse(data).items;
    return items
      .filter(({ subject, revoked_at }) => subject === clientId && revoked_at === null)
      .map(({ token_id }) => token_id);
  }

  async revoke(tokenId: string): Promise<void> {
    const headers = { authorization: `Bearer ${this.#operatorToken}` };
    const response = await fetch(`${this.edgeUrl}/v1/tokens/${tokenId}`, { method: 'DELETE', headers });
    if (!response.ok) throw new Error(`the token was not revoked: ${response.status}`);
  }

  async stop(): Promise<void> {
    await this.#system.end('SIGTERM');
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function get(url: string, token: string): Promise<unknown> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error(`${url} responded ${response.status}`);
  return z.object({ data: z.unknown() }).parse(await response.json()).data;
}

/** One run of the command. */
export class FirefoxCommand {
  readonly line: RunningLine;

  constructor(line: RunningLine) {
    this.line = line;
  }

  async ready(): Promise<Ready> {
    return ReadySchema.parse(JSON.parse(await this.line.prints(/^\{.*$/m)));
  }

  async bidi(): Promise<Bidi> {
    const { bidi_url: url = '' } = await this.ready();
    return Bidi.open(url);
  }

  /** Sends SIGTERM as a service manager does, to the first process only; resolves with how long it took. */
  async terminate(): Promise<Ended & { ms: number }> {
    const began = performance.now();
    this.line.child.kill('SIGTERM');
    const ended = await this.line.ended;
    return { ...ended, ms: performance.now() - began };
  }
}

/** Waits until no process has that id any more. */
export async function untilGone(pid: number): Promise<void> {
  await until(async () => !existsSync(`/proc/${pid}`));
}
