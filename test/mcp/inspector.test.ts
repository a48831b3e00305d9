/** The command line of the MCP inspector, as a person types it, on the system of `npm start`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installedProgram } from './installed.ts';
import type { LocalSystem } from './local-system.ts';
import { runScript, startLocalSystem } from './local-system.ts';

const program = installedProgram('mcp-inspector');

describe.skipIf(program === null)('the command line of the inspector', () => {
  let system: LocalSystem;
  beforeAll(async () => {
    system = await startLocalSystem();
  });
  afterAll(() => system?.stop());

  const inspect = (method: string, ...args: string[]) => {
    const access = ['--transport', 'http', '--header', `Authorization: Bearer ${system.token}`];
    return runScript(program ?? '', ['--cli', system.url, ...access, '--method', method, ...args]);
  };
  const call = (tool: string, ...args: string[]) =>
    inspect('tools/call', '--tool-name', tool, ...args.flatMap((arg) => ['--tool-arg', arg]));
  const result = (out: string) => JSON.parse(out) as { isError: boolean; structuredContent: Record<string, unknown> };

  it('lists the tools, and finds no error in their schemas', async () => {
    const { code, out, err } = await inspect('tools/list');
    const { tools } = JSON.parse(out) as { tools: { name: string }[] };
    expect(tools.map(({ name }) => name)).toEqual(expect.arrayContaining(['status', 'files_write', 'exec', 'approve']));
    expect([code, err]).toEqual([0, expect.not.stringMatching(/[1-9]\d* errors?/)]);
  });

  it('calls a tool of the edge', async () => {
    const { code, out } = await call('status');
    expect(code).toBe(0);
    expect(result(out)).toMatchObject({ isError: false, structuredContent: { mode: 'running' } });
  });

  it('writes a file on the host', async () => {
    const { code, out } = await call('files_write', 'path=from-mcp.txt', 'content=hello');
    expect(code).toBe(0);
    expect(result(out)).toMatchObject({
      isError: false,
      structuredContent: { status: 'succeeded', node: 'mini-main' },
    });
    expect(readFileSync(join(system.workspace, 'from-mcp.txt'), 'utf8')).toBe('hello');
  });

  it('gets an error of the tool for what the policy of the host denies', async () => {
    const { code, out } = await call('exec', 'argv=["true"]');
    expect(code).not.toBe(0);
    expect(result(out)).toMatchObject({ isError: true, structuredContent: { error: 'denied_by_policy' } });
  });

  it('finds no tool that is not there', async () => {
    const { code, err } = await call('no_such_tool');
    expect(code).not.toBe(0);
    expect(err).toContain('tool_not_found');
  });

  it('is refused with a token that is not valid', async () => {
    const access = ['--transport', 'http', '--header', 'Authorization: Bearer baa_no'];
    const { code, out } = await runScript(program ?? '', ['--cli', system.url, ...access, '--method', 'tools/list']);
    expect([code, out]).toEqual([expect.any(Number), '']);
    expect(code).not.toBe(0);
  });
});
