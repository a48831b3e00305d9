import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createRunFolder } from '../../../../local-agent/runs/run-folder.ts';
import { NOTHING_SENT, RunTail } from '../../../../local-agent/runs/tail.ts';
import type { RunLogsBody } from '../../../../schema/contracts/runs.ts';
import { RUN, RUN_FILES } from '../../../../schema/defaults.ts';
import { runMeta } from '../../../support/run-builders.ts';
import { tempDir } from '../../../support/temp-dir.ts';

type Chunk = RunLogsBody['chunks'][number];

/** A run folder, and what a tail has handed on of it. A second tail continues where the first one was. */
function openRun() {
  const folder = createRunFolder(tempDir(), runMeta());
  const requests: Chunk[][] = [];
  let sent = NOTHING_SENT;
  const clock = { ms: 0, room: 100 };
  const open = () => {
    const tail = new RunTail({
      folder,
      sent,
      monotonic: () => clock.ms,
      room: () => clock.room,
      send: (chunks, now) => {
        requests.push(chunks);
        sent = now;
      },
    });
    onTestFinished(() => tail.close());
    return tail;
  };
  const write = (name: string, bytes: string | Buffer) => appendFileSync(join(folder, name), bytes);
  const bytesOf = (stream: string) =>
    Buffer.concat(
      requests.flat().flatMap((chunk) => (chunk.stream === stream ? Buffer.from(chunk.data, 'base64') : [])),
    );
  return { folder, requests, clock, open, write, bytesOf };
}

describe('the tail of a run', () => {
  it('hands on the bytes of all three logs as they are', () => {
    const run = openRun();
    const bytes = Buffer.from([0, 255, 10, 128, 0xc3]);
    run.write('stdout.log', bytes);
    run.write('stderr.log', 'no newline at the end');
    expect(run.open().look({ isComplete: true })).toBe(true);
    expect(run.bytesOf('stdout')).toEqual(bytes);
    expect(run.bytesOf('stderr').toString()).toBe('no newline at the end');
    expect(run.bytesOf('lifecycle').toString()).toMatch(/ run_prepared .*\n.* checkpoint_slot_reserved .*\n$/);
  });

  it('collects short outputs of a running step into one request', () => {
    const run = openRun();
    const tail = run.open();
    for (let n = 0; n < 50; n++) {
      run.write('stdout.log', `line ${n}\n`);
      tail.look({ isComplete: false });
    }
    expect(run.requests).toEqual([]);
    run.clock.ms = RUN_FILES.flush_ms;
    tail.look({ isComplete: false });
    expect(run.requests).toHaveLength(1);
    expect(run.bytesOf('stdout').toString()).toMatch(/^line 0\n[\s\S]*line 49\n$/);
  });

  it('continues after a restart where it was: nothing is lost or doubled', () => {
    const run = openRun();
    run.write('stdout.log', 'a'.repeat(RUN_FILES.chunk_bytes + 10));
    run.open().look({ isComplete: false });
    run.write('stdout.log', 'b'.repeat(10));
    run.open().look({ isComplete: true });
    expect(run.bytesOf('stdout').toString()).toBe('a'.repeat(RUN_FILES.chunk_bytes + 10) + 'b'.repeat(10));
  });

  it('leaves in the files what does not fit the outbox, and hands it on later', () => {
    const run = openRun();
    run.write('stdout.log', Buffer.alloc(3 * RUN_FILES.request_bytes));
    const tail = run.open();
    run.clock.room = 1;
    expect(tail.look({ isComplete: true })).toBe(false);
    expect(run.requests).toHaveLength(1);
    run.clock.room = 100;
    expect(tail.look({ isComplete: true })).toBe(true);
    expect(run.bytesOf('stdout')).toHaveLength(3 * RUN_FILES.request_bytes);
  });

  it('marks the chunk before which a long log skips to its end', () => {
    const run = openRun();
    const bytes = 5 * RUN.log_head_bytes;
    run.write('stdout.log', Buffer.alloc(bytes, 'x'));
    run.open().look({ isComplete: true });
    const skipping = run.requests.flat().filter(({ skips }) => skips);
    expect(skipping.map(({ stream, offset }) => ({ stream, offset }))).toEqual([
      { stream: 'stdout', offset: bytes - RUN.log_tail_bytes },
    ]);
    expect(run.bytesOf('stdout')).toHaveLength(RUN.log_head_bytes + RUN.log_tail_bytes);
  });
});
