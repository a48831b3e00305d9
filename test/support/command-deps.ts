import type { CommandDeps } from '../../local-agent/commands/deps.ts';
import type { EdgeClient, EdgeRequest } from '../../local-agent/edge/http-client.ts';
import { TestClock } from './test-clock.ts';

export interface CommandCall {
  base: string;
  token: string;
  method: string;
  path: string;
  body: unknown;
  /** Only of a call that has one. */
  key?: string;
}

/** The dependencies of a command under test, with a record of its output and its calls; `respond` replaces edge and agent. */
export function commandWorld(respond: (call: CommandCall) => unknown, over: Partial<CommandDeps> = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const calls: CommandCall[] = [];
  const connect = (base: string, token: string): EdgeClient => ({
    async call<T>({ method, path, body, schema, token: other, idempotencyKey: key }: EdgeRequest<T>): Promise<T> {
      const call = { base, token: other ?? token, method, path, body, ...(key !== undefined && { key }) };
      calls.push(call);
      return schema.parse(respond(call));
    },
    async close() {},
  });
  const deps: CommandDeps = {
    env: {
      BAA_ROOT: '/srv/baa',
      BAA_CONTROL_API_BASE: 'http://edge',
      BAA_CONDUCTOR_LOCAL_API: 'http://127.0.0.1:4317',
      BAA_OPERATOR_TOKEN: 'operator',
      BAA_SHARED_TOKEN: 'node',
    },
    print: (line) => out.push(line),
    printBytes: (bytes) => out.push(Buffer.from(bytes).toString('utf8')),
    warn: (line) => err.push(line),
    isTerminal: false,
    columns: () => null,
    clock: new TestClock(),
    version: '1.2.3',
    readFile: () => null,
    readSecret: async () => '',
    prompts: null,
    writeNewFile: () => undefined,
    writeFile: () => undefined,
    modeOf: () => null,
    isAlive: () => false,
    connect,
    stopSignal: () => new Promise(() => undefined),
    ...over,
  };
  return { deps, out, err, calls, stdout: () => out.join('\n'), stderr: () => err.join('\n') };
}
