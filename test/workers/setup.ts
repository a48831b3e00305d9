import { applyD1Migrations, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterAll, vi } from 'vitest';
import { checkColumnNames } from './support/column-names.ts';

/** Every test file starts on a fresh database; `reset()` inside a file drops the schema too, so it applies this again. */
await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
checkColumnNames();

/** Drops the alarm: a tick that logs after the end of its file would hang the run. */
afterAll(async () => {
  vi.useRealTimers();
  const stub = env.TIMED_JOBS.get(env.TIMED_JOBS.idFromName('global'));
  await runInDurableObject(stub, (_object, { storage }) => storage.deleteAlarm());
});
