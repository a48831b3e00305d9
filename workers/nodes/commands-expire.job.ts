/** `commands.expire`: ends commands that no node has finished in time. A result that comes later is still accepted. */
import { sql } from 'drizzle-orm';
import type { Runner } from '../timed-jobs/job.ts';
import { expireCommands } from './commands.ts';

const MAX_PER_TICK = 200;

export const commandsExpire: Runner = {
  name: 'commands.expire',
  ordinary: false,
  queries: { base: 1 },
  async run(context) {
    const due = sql`(SELECT command_id FROM commands
      WHERE status IN ('pending', 'received') AND expires_at <= ${context.now} LIMIT ${MAX_PER_TICK})`;
    const expired = await expireCommands(context, due);
    return expired.meta.changes === 0 ? 'idle' : 'ok';
  },
};
