import { applyD1Migrations, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterAll, vi } from 'vitest';

/** Every test file starts on a fresh database; `reset()` inside a file drops the schema too, so it applies this again. */
await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);

/** No tick is left to run into the end of its file: what it logs then has nobody to take it, and the run would hang. */
afterAll(async () => {
  vi.useRealTimers();
  const stub = env.TIMED_JOBS.get(env.TIMED_JOBS.idFromName('global'));
  await runInDurableObject(stub, (_object, { storage }) => storage.deleteAlarm());
});
