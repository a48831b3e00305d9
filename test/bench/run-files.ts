/**
 * What the output of a step costs the agent: a step writes into the run files itself, and the agent follows them. Beside it
 * the ways in which an agent passes each chunk on, as the first version of this system did.
 */
import { createWriteStream, writeFileSync } from 'node:fs';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../local-agent/lib/clock.ts';
import { createRunFolder } from '../../local-agent/runs/run-folder.ts';
import { readState, StateFile } from '../../local-agent/runs/state-file.ts';
import { NOTHING_SENT, RunTail } from '../../local-agent/runs/tail.ts';
import { openStore } from '../../local-agent/store/store.ts';
import { logsReport } from '../../local-agent/tasks/reports.ts';
import { RUN_ID, runMeta } from '../support/run-builders.ts';
import type { Benchmark } from './harness/benchmark.ts';
import { paceOf } from './harness/benchmark.ts';
import { withCleanup } from './harness/cleanup.ts';
import type { Subject } from './harness/measure.ts';
import { interleave } from './harness/measure.ts';
import { comparison, figure, speedGoals } from './harness/report.ts';

const CHUNK = `${'x'.repeat(119)}\n`;
const OURS = 'the step writes, the agent follows';
const STREAMED = 'a write stream, the state once';
const PART = 20;
const APPENDED = `append and rewrite the state for each chunk, a ${PART}th of them`;
const STATE = JSON.stringify({ run_id: RUN_ID, status: 'running' });

/** Follows a log that a step has written: what the agent does with all of its chunks. */
function follow(folder: string, send: ConstructorParameters<typeof RunTail>[0]['send']): void {
  const state = readState(folder);
  if (state === null) throw new Error('the run is not prepared');
  const file = new StateFile(folder, state, systemClock);
  const monotonic = () => performance.now();
  const tail = new RunTail({ folder, sent: NOTHING_SENT, monotonic, room: () => Number.POSITIVE_INFINITY, send });
  tail.look({ isComplete: true });
  file.update({ summary: 'writes' });
  file.close();
  tail.close();
}

async function streamChunks(path: string, chunks: number): Promise<void> {
  const stream = createWriteStream(path);
  for (let n = 0; n < chunks; n++) stream.write(CHUNK);
  writeFileSync(`${path}.state`, STATE);
  await new Promise<void>((resolve) => stream.end(resolve));
}

async function appendEach(path: string, chunks: number): Promise<void> {
  for (let n = 0; n < chunks; n++) {
    await appendFile(path, CHUNK);
    await writeFile(`${path}.state`, STATE);
  }
}

function subjectsIn(root: string, chunks: number): { subjects: Subject[]; close: () => void } {
  const folder = createRunFolder(join(root, 'runs'), runMeta());
  writeFileSync(join(folder, 'stdout.log'), CHUNK.repeat(chunks));
  const store = openStore(join(root, 'agent.sqlite'), { now: () => Date.now(), newOutboxId: () => 'bench' });
  const ids = { run_id: RUN_ID, step_id: 'step' };
  const stored = (sent: Parameters<typeof logsReport>[1]) =>
    store.transaction(() => void store.outbox.append(logsReport(ids, sent)));
  const subjects: Subject[] = [
    { name: OURS, role: 'ours', run: () => follow(folder, () => undefined) },
    { name: 'the same, and stored in the outbox', role: 'ours', run: () => follow(folder, stored) },
    { name: STREAMED, role: 'peer', run: () => streamChunks(join(root, 'streamed'), chunks) },
    {
      name: APPENDED,
      role: 'peer',
      once: true,
      run: () => appendEach(join(root, 'appended'), chunks / PART),
    },
    {
      name: 'the same bytes in one write',
      role: 'floor',
      run: () => writeFileSync(join(root, 'whole'), CHUNK.repeat(chunks)),
    },
  ];
  return { subjects, close: () => store.close() };
}

export const runFiles: Benchmark = {
  name: 'run-files',
  what: 'the output of a step, from its program into the run files',
  run: (options) =>
    withCleanup(async (cleanup) => {
      const root = cleanup.folder();
      const chunks = options.quick ? 1_000 : 100_000;
      const { subjects } = cleanup.add(subjectsIn(root, chunks), ({ close }) => close());
      const measured = await interleave(subjects, paceOf(options));
      const title = `${figure(chunks)} chunks of ${CHUNK.length} bytes: what they cost the agent`;
      const goals = speedGoals(measured, OURS, [
        [500 / PART, APPENDED],
        [4, STREAMED],
      ]);
      return { sections: [comparison(title, measured, { unit: 'ms', goals })], absent: [] };
    }),
};
