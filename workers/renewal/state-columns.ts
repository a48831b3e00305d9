/** The state of `local_conversations AS c` (CONVERSATION_STATE), for statements that read it beside other things. */
import { sql } from 'drizzle-orm';
import { CONVERSATION_STATE } from '../../schema/domain/conversation.ts';

/** As columns. */
export const stateColumns = sql.raw(CONVERSATION_STATE.map((name) => `c.${name}`).join(', '));
/** As names and values of `json_object`. */
export const statePairs = sql.raw(CONVERSATION_STATE.map((name) => `'${name}', c.${name}`).join(', '));
