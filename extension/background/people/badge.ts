/** The badge of the toolbar button: what needs a person first, then the mode. Pure. */
import type { Text } from '../../overlay/texts.ts';
import type { PeopleView } from '../../people-messages.ts';

export interface Badge {
  /** At most four characters fit. */
  text: string;
  color: string;
  title: Text;
}

const COLORS = { alert: '#b42318', wait: '#9a5b00', calm: '#4b5563', good: '#1a7f4b' } as const;
const MAX_COUNT = 99;

export function badgeOf({ connection, snapshot, queue }: PeopleView): Badge {
  if (queue.isFull) {
    return { text: '!', color: COLORS.alert, title: { key: 'badge_queue_full', args: [String(queue.messages)] } };
  }
  if (connection.state !== 'connected' || snapshot === null || !snapshot.system.is_known) {
    return { text: '!', color: COLORS.alert, title: { key: `badge_${connection.state}` } };
  }
  const { approvals_waiting: waiting, system } = snapshot;
  const title: Text = { key: `badge_${system.mode}`, args: [String(waiting)] };
  if (waiting > 0) return { text: waiting > MAX_COUNT ? `${MAX_COUNT}+` : String(waiting), color: COLORS.wait, title };
  if (system.mode === 'paused') return { text: '❚❚', color: COLORS.calm, title };
  if (system.mode === 'draining') return { text: '…', color: COLORS.calm, title };
  return { text: '', color: COLORS.good, title };
}
