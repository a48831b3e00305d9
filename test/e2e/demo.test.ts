/** The demo as an end-to-end test: a real edge, a real agent, the real command line, and evidence from the disk. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Evidence } from '../../local-agent/stack/demo.ts';
import { playDemo } from '../../local-agent/stack/demo.ts';

let seen: Evidence;
beforeAll(async () => {
  seen = await playDemo(() => {});
});

describe('a message with a write, an allowed program, an invalid block and a denied tool', () => {
  it('the file is written with its content', () => {
    expect(seen.first.file).toBe('written by an assistant\n');
  });

  it('the journal has every event of each instruction', () => {
    const stories = seen.first.journal.map(({ status, events }) => [status, events.map(({ kind }) => kind)]);
    const whole = ['observed', 'judged', 'claimed', 'started', 'ended', 'delivered'];
    expect(stories).toEqual([
      ['succeeded', whole],
      ['succeeded', whole],
      ['denied', ['observed', 'judged', 'delivered']],
    ]);
  });

  it('the denied instruction names the rule that denied it', () => {
    expect(seen.first.journal[2]?.policy.rule).toContain('files/read');
  });

  it('the reply has the exit code, the output, and the line of the invalid block', () => {
    expect(seen.first.delivered).toContain('exit code 0');
    expect(seen.first.delivered).toContain('hello from the host');
    expect(seen.first.delivered).toMatch(/line 12.*invalid_json/);
    expect(seen.first.delivered).toMatch(/files\/read.*denied/);
  });
});

describe('the same message again', () => {
  it('a repeated message has no effect', () => {
    expect(seen.again.after).toBe(seen.again.before);
    expect(seen.again.file_came_back).toBe(false);
  });

  it('a repeated message has no effect after edge and agent were killed and started again', () => {
    expect(seen.afterKill.after).toBe(seen.afterKill.before);
    expect(seen.afterKill.file_came_back).toBe(false);
  });
});

describe('a paused system', () => {
  it('an ordinary instruction is blocked with system_paused and writes nothing', () => {
    expect(seen.blocked.message.ingest_status).toBe('system_paused');
    expect(seen.blocked.journal[0]).toMatchObject({ status: 'blocked', gate: 'system_paused' });
    expect(seen.blocked.written).toBe(false);
  });

  it('the chat resumes the system, and the blocked instruction stays blocked', () => {
    expect(seen.resumed.system.mode).toBe('running');
    expect(seen.resumed.written).toBe(false);
  });
});

describe('a renewal', () => {
  it('the job runs until the browser reports the result, and only then is done', () => {
    expect(seen.renewal.status_before_the_result).toBe('running');
    expect(seen.renewal.job).toMatchObject({ status: 'done', attempt_count: 1 });
  });

  it('the delivered text quotes the last message', () => {
    expect(seen.renewal.delivered).toContain('Half of it is done.');
  });

  it('the tick log has each stage of the job', () => {
    expect(seen.renewal.stages).toEqual(expect.arrayContaining(['job_attempt_started', 'job_completed']));
  });
});
