import { describe, expect, it } from 'vitest';
import { SHELL, Tasks } from '../tasks/support.ts';
import { connect } from './support.ts';

const conductor = await new Tasks().start();

describe('the log of a run as a resource', () => {
  it('is the output so far, in the order of its arrival, and grows with it', async () => {
    await conductor.create({ steps: [SHELL] });
    const run = await conductor.claimed();
    const { client } = await connect(conductor, { role: 'readonly' });
    const read = async () => {
      const [content] = (await client.readResource({ uri: `conductor://runs/${run.run_id}/log` })).contents;
      return content !== undefined && 'text' in content ? content.text : '';
    };
    expect(await read()).toBe('');
    await conductor.heartbeat(run, { started: true });
    await conductor.logs(run, 'stdout', 0, 'one\n');
    await conductor.logs(run, 'stderr', 0, 'a warning\n');
    const { resourceTemplates } = await client.listResourceTemplates();
    expect(resourceTemplates.map((one) => one.uriTemplate)).toContain('conductor://runs/{run_id}/log');
    expect(await read()).toMatch(/one\n.*a warning\n/s);
    await conductor.logs(run, 'stdout', 4, 'two\n');
    expect(await read()).toMatch(/a warning\n.*two\n/s);
    await conductor.complete(run);
    expect(await read()).toMatch(/two\n/);
  });
});
