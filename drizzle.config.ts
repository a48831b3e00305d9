import { defineConfig } from 'drizzle-kit';

/** `npm run db:generate` writes the next numbered migration from the tables; migrations are never edited by hand. */
export default defineConfig({
  dialect: 'sqlite',
  schema: './schema/tables/*.ts',
  out: './schema/migrations',
});
