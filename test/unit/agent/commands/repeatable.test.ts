/** Commands that create something are repeated safely: under one operation id the edge creates it once. */
import { describe, expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import { EdgeError } from '../../../../local-agent/edge/http-client.ts';
import { commandWorld } from '../../../support/command-deps.ts';

/** An edge that stores what it is sent, and whose response to that is lost. */
function world() {
  return commandWorld(() => {
    throw new EdgeError('network', 0, 'network', 'http://edge cannot be reached: socket hang up');
  });
}

describe('a command that creates something', () => {
  it.each([
    [['tasks', 'create', 'make test', '--repo', 'app', '--priority', '70']],
    [['tasks', 'create', '--repo', 'app', '--', '--fix it']],
    [['tokens', 'create', '--role', 'readonly', '--subject', "ann's laptop"]],
  ])('%j without a response says the line that repeats it under the same key', async (argv) => {
    const { deps, calls, err, stderr } = world();
    expect(await runCli(argv, deps)).toBe(3);
    const key = calls.at(-1)?.key ?? '';
    expect(key).toMatch(/^(tasks|tokens)-create-[0-9a-f-]{36}$/);
    expect(err[0]).toBe(`operation id ${key}`);
    const [, line = ''] = /with no second effect:\n {2}conductor (.*)$/m.exec(stderr()) ?? [];
    const again = world();
    expect(await runCli(words(line), again.deps)).toBe(3);
    expect(again.calls).toEqual(calls);
  });

  it('has the name that the person gives as its key', async () => {
    const { deps, calls, err } = world();
    await runCli(['tasks', 'create', 'make', '--operation-id', 'nightly-1'], deps);
    expect(calls.at(-1)?.key).toBe('nightly-1');
    expect(err.join()).not.toContain('operation id');
  });
});

/** The words of a printed line, as a shell reads them. */
function words(line: string): string[] {
  const found = line.match(/(?:'[^']*'|\\'|[^\s'])+/g) ?? [];
  return found.map((word) => word.replace(/'([^']*)'|\\'/g, (_all, quoted?: string) => quoted ?? "'"));
}
