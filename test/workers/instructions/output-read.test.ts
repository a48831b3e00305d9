import { beforeEach, describe, expect, it } from 'vitest';
import type { InstructionRunResponse } from '../../../schema/contracts/instructions.ts';
import { TOOL_NAMES } from '../../../schema/contracts/tools.ts';
import { DELIVERY } from '../../../schema/defaults.ts';
import { Conductor, DESCRIBE, EXEC } from '../support/conductor.ts';
import { rowsOf } from '../support/edge.ts';
import { bringTo, nextConversation } from './support.ts';

const conductor = new Conductor();
const TEXT = Array.from({ length: 3_000 }, (_, n) => `line ${n}\n`).join('');

let remote: string;
beforeEach(() => {
  remote = nextConversation();
});

/** Runs a program with that output in the conversation, and resolves with its id. */
async function stored(output: string): Promise<string> {
  const { ids } = await bringTo(conductor, [EXEC], remote);
  await conductor.result(ids[0] ?? '', { output });
  return ids[0] ?? '';
}

async function readOutput(params: Record<string, unknown>): Promise<InstructionRunResponse> {
  const { ids } = await bringTo(conductor, [{ target: 'conductor', tool: 'output/read', params }], remote);
  return await conductor.act<InstructionRunResponse>(`/v1/instructions/${ids[0]}/run`, {});
}

describe('output/read', () => {
  it('returns the part of a long output that was asked for, and where the next part begins', async () => {
    const instruction_id = await stored(TEXT);
    const read = await readOutput({ instruction_id, offset: 5_000, length: 7_000 });
    const head = `characters 5000 to 12000 of ${TEXT.length}; read on with offset 12000\n`;
    expect(read).toMatchObject({ status: 'succeeded', output: head + TEXT.slice(5_000, 12_000) });
  });

  it('returns an output part by part until its end', async () => {
    const instruction_id = await stored(TEXT);
    let [text, offset] = ['', 0];
    for (let more = true; more; ) {
      const { output } = await readOutput({ instruction_id, offset });
      const [head = '', ...lines] = output.split('\n');
      text += lines.join('\n');
      offset = Number(/ to (\d+) of/.exec(head)?.[1]);
      more = head.includes('read on');
    }
    expect(text).toBe(TEXT);
  });

  it('returns a short output, which is stored with its instruction', async () => {
    const instruction_id = await stored('short');
    expect((await readOutput({ instruction_id, offset: 0 })).output).toBe('characters 0 to 5 of 5\nshort');
    const beyond = await readOutput({ instruction_id, offset: 6 });
    expect(beyond).toMatchObject({ status: 'failed', error_code: 'invalid_params' });
    expect(beyond.output).toContain('offset: the output has 5 characters');
  });

  it('does not read what ran in another conversation', async () => {
    const instruction_id = await stored(TEXT);
    remote = nextConversation();
    const read = await readOutput({ instruction_id, offset: 0 });
    expect(read).toMatchObject({ status: 'failed', error_code: 'instruction_not_found' });
    expect(read.output).toBe(
      `this conversation has no instruction ${instruction_id}; name an instruction_id that a reply in this conversation has named`,
    );
  });

  it('does not read an instruction that has not ended', async () => {
    const { ids } = await bringTo(conductor, [
      { target: 'conductor', tool: 'output/read', params: { instruction_id: 'ins_self', offset: 0 } },
    ]);
    const own = ids[0] ?? '';
    await rowsOf(
      'UPDATE instructions SET params = ? WHERE instruction_id = ?',
      JSON.stringify({ instruction_id: own, offset: 0 }),
      own,
    );
    const read = await conductor.act<InstructionRunResponse>(`/v1/instructions/${own}/run`, {});
    expect(read).toMatchObject({ status: 'failed', error_code: 'not_ended' });
    const rows = await rowsOf<{ status: string }>('SELECT status FROM instructions WHERE instruction_id = ?', own);
    expect(rows).toEqual([{ status: 'failed' }]);
  });
});

describe('describe', () => {
  it('names every tool with its parameters in one line, and fits a reply', async () => {
    const { ids } = await bringTo(conductor, [DESCRIBE]);
    const { output } = await conductor.act<InstructionRunResponse>(`/v1/instructions/${ids[0]}/run`, {});
    const lines = output.split('\n');
    expect(TOOL_NAMES.filter((name) => !lines.some((line) => line.startsWith(name)))).toEqual([]);
    expect(lines).toContain(
      'conductor::files/read {path*: string, cwd?: string, encoding?: "utf8"|"base64", offset?: integer, length?: integer}' +
        ' - Reads a file inside the configured roots.',
    );
    expect(output).toContain('argv?: string[], command?*: string, cwd?: string, env?: {[name]: string}');
    expect(output).toContain('{scope: "current", mode: "manual"|"auto"|"paused"}');
    expect(output.length).toBeLessThan(DELIVERY.reply_chars / 2);
  });
});
