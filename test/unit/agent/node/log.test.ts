import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EdgeError } from '../../../../local-agent/edge/http-client.ts';
import { openLog } from '../../../../local-agent/log.ts';
import { tempDir } from '../../../support/temp-dir.ts';

function fail(problem: string): void {
  throw new Error(problem);
}

async function logged(write: (log: Awaited<ReturnType<typeof openLog>>['logger']) => void) {
  const dir = tempDir();
  const lines: string[] = [];
  const log = await openLog({ dir, terminal: (line) => lines.push(line), warn: fail });
  write(log.logger);
  await log.close();
  const file = readdirSync(dir).map((name) => readFileSync(join(dir, name), 'utf8'));
  return { file: file.join(''), terminal: lines.join('\n') };
}

describe('the log', () => {
  it('the log writes JSON lines to a file and text to a terminal', async () => {
    const { file, terminal } = await logged((log) => log.info({ term: 3 }, 'this node is leader'));
    expect(JSON.parse(file)).toMatchObject({ msg: 'this node is leader', term: 3 });
    expect(terminal).toMatch(/info.*this node is leader term=3/);
  });

  it('the log contains no secret, at any depth of a field', async () => {
    const config = { sharedToken: 'secret-1', nested: { token: 'secret-2' } };
    const { file, terminal } = await logged((log) => log.warn({ config, authorization: 'secret-3' }, 'careful'));
    expect(file + terminal).not.toMatch(/secret-/);
  });

  it('an unreachable edge is logged without a stack, and a fault with one', async () => {
    const away = await logged((log) => log.warn({ error: new EdgeError('network', 0, 'network', 'away') }, 'no'));
    expect(away.file).not.toMatch(/stack/);
    const fault = await logged((log) => log.error({ error: new Error('bug') }, 'no'));
    expect(fault.file).toMatch(/log\.test\.ts/);
  });
});
