import { describe, expect, it } from 'vitest';
import { Conductor, EXEC } from '../support/conductor.ts';
import { rowsOf } from '../support/edge.ts';
import { bringTo } from './support.ts';

const conductor = new Conductor();
const { edge } = conductor;
const DESCRIBE = { ...EXEC, tool: 'describe', params: {} };

interface RunResponse {
  output: string;
  artifact_url: string | null;
}

async function resultOf(length: number, inline_chars?: number) {
  const { ids } = await bringTo(conductor, [EXEC]);
  const limit = inline_chars === undefined ? {} : { inline_chars };
  const { artifact_url } = await conductor.result(ids[0] ?? '', { output: 'x'.repeat(length), ...limit });
  const [row] = await rowsOf<{ output_summary: string }>(
    'SELECT output_summary FROM instructions WHERE instruction_id = ?',
    ids[0],
  );
  return { artifact_url, summaryChars: row?.output_summary.length };
}

describe('an output over the inline limit', () => {
  it('the limit of the node decides when it names one', async () => {
    const { artifact_url, summaryChars } = await resultOf(1_500, 500);
    const opened = await edge.fetch(new URL(artifact_url ?? '').pathname);
    expect(await opened.text()).toContain('x'.repeat(1_500));
    expect(summaryChars).toBe(200);
    expect(await resultOf(3_000, 5_000)).toEqual({ artifact_url: null, summaryChars: 3_000 });
  });

  it('the limit of the edge decides otherwise', async () => {
    expect(await resultOf(2_000)).toEqual({ artifact_url: null, summaryChars: 2_000 });
    expect(await resultOf(2_001)).toMatchObject({ artifact_url: expect.any(String), summaryChars: 200 });
  });

  it('the limit of the node holds for a tool of the edge, whose output is repeated whole', async () => {
    const { ids } = await bringTo(conductor, [DESCRIBE]);
    const run = () => conductor.act<RunResponse>(`/v1/instructions/${ids[0]}/run`, { inline_chars: 100 });
    const first = await run();
    expect(first.output.length).toBeGreaterThan(100);
    expect(first.artifact_url).toContain('/artifact/');
    expect((await run()).output).toBe(first.output);
    const other = await bringTo(conductor, [DESCRIBE]);
    const unlimited = { inline_chars: 1_000_000 };
    const whole = await conductor.act<RunResponse>(`/v1/instructions/${other.ids[0]}/run`, unlimited);
    expect([whole.output, whole.artifact_url]).toEqual([first.output, null]);
  });

  it('a limit of zero is refused', async () => {
    const { ids } = await bringTo(conductor, [EXEC]);
    const body = { controller_id: 'node-1', status: 'succeeded', output: '', duration_ms: 1, truncated: false };
    const token = await conductor.token();
    const refused = await edge.error('POST', `/v1/instructions/${ids[0]}/result`, {
      token,
      body: { ...body, inline_chars: 0 },
    });
    expect([refused.error, refused.details?.field]).toEqual(['invalid_request', 'inline_chars']);
  });
});
