import { applyD1Migrations } from 'cloudflare:test';
import { env } from 'cloudflare:workers';

/** Every test file starts on a fresh database; `reset()` inside a file drops the schema too, so it applies this again. */
await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
