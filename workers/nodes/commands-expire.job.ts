/** `commands.expire`: a command past its time is not begun any more. Its answer, if one still comes, is taken. */
import { sql } from 'drizzle-orm';
import type { Runner } from '../timed-jobs/job.ts';

const MAX_PER_TICK = 200;

export const commandsExpire: Runner = {
  name: 'commands.expire',
  ordinary: false,
  async run({ db, now }) {
    const expired = await db.run(sql`UPDATE commands SET status = 'expired', finished_at = ${now}
      WHERE command_id IN (SELECT command_id FROM commands
        WHERE status IN ('pending', 'received') AND expires_at <= ${now} LIMIT ${MAX_PER_TICK})`);
    return expired.meta.changes === 0 ? 'idle' : 'ok';
  },
};
