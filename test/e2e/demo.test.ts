/** The demo is the first end-to-end test: real edge, real agent, real command line, and evidence from the disk. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Evidence } from '../../local-agent/stack/demo.ts';
import { playDemo } from '../../local-agent/stack/demo.ts';

let seen: Evidence;
beforeAll(async () => {
  seen = await playDemo(() => {});
});

describe('an answer with a write, an allowed program, a broken block and a denied tool', () => {
  it('writes the file with its content', () => {
    expect(seen.first.file).toBe('written by an assistant\n');
  });

  it('keeps the whole story of each instruction in the journal', () => {
    const stories = seen.first.journal.map(({ status, events }) => [status, events.map(({ kind }) => kind)]);
    const whole = ['observed', 'judged', 'claimed', 'started', 'ended', 'delivered'];
    expect(stories).toEqual([
      ['succeeded', whole],
      ['succeeded', whole],
      ['denied', ['observed', 'judged', 'delivered']],
    ]);
  });

  it('names the rule that denied', () => {
    expect(seen.first.journal[2]?.policy.rule).toContain('files/read');
  });

  it('replies with the exit code, the output, and the broken block by its line', () => {
    expect(seen.first.delivered).toContain('exit code 0');
    expect(seen.first.delivered).toContain('hello from the host');
    expect(seen.first.delivered).toMatch(/line 12.*invalid_json/);
    expect(seen.first.delivered).toMatch(/files\/read.*denied/);
  });
});

describe('the same answer again', () => {
  it('does nothing', () => {
    expect(seen.again.after).toBe(seen.again.before);
    expect(seen.again.file_came_back).toBe(false);
  });

  it('does nothing after edge and agent were killed and started again', () => {
    expect(seen.afterKill.after).toBe(seen.afterKill.before);
    expect(seen.afterKill.file_came_back).toBe(false);
  });
});

describe('a paused system', () => {
  it('blocks an ordinary instruction with system_paused and writes nothing', () => {
    expect(seen.blocked.message.ingest_status).toBe('system_paused');
    expect(seen.blocked.journal[0]).toMatchObject({ status: 'blocked', gate: 'system_paused' });
    expect(seen.blocked.written).toBe(false);
  });

  it('is resumed by the chat, and what was blocked stays blocked', () => {
    expect(seen.resumed.system.mode).toBe('running');
    expect(seen.resumed.written).toBe(false);
  });
});

describe('a renewal', () => {
  it('is running until the browser answers, and only then done', () => {
    expect(seen.renewal.status_before_the_result).toBe('running');
    expect(seen.renewal.job).toMatchObject({ status: 'done', attempt_count: 1 });
  });

  it('carries the last message on', () => {
    expect(seen.renewal.delivered).toContain('Half of it is done.');
  });

  it('is told stage by stage in the tick log', () => {
    expect(seen.renewal.stages).toEqual(expect.arrayContaining(['job_attempt_started', 'job_completed']));
  });
});
