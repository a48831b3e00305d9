/** The connection and the system as a person reads them. Pure. */
import type { PeopleView } from '../people-messages.ts';
import type { Format } from './format.ts';
import type { Text } from './texts.ts';

export type Tone = 'good' | 'wait' | 'bad' | 'calm';

export interface ConnectionShown {
  tone: Tone;
  title: Text;
  /** What to do; null when nothing has to be done. */
  help: Text | null;
  /** What the agent said, as it is. */
  said: string | null;
  needsPairing: boolean;
}

export function describeConnection(
  { connection, snapshot, queue, setAside }: PeopleView,
  now: number,
  format: Format,
): ConnectionShown {
  const { state, reason, retryAt, agentUrl } = connection;
  const said = state === 'connected' ? null : reason;
  const needsPairing = state === 'unpaired' || state === 'token_refused' || state === 'bad_address';
  const base = { title: { key: `connection_${state}` }, said, needsPairing };
  if (queue.isFull && !needsPairing) {
    return { ...base, tone: 'bad', help: { key: 'queue_full', args: [String(queue.messages)] } };
  }
  if (state === 'connected') {
    if (snapshot?.edge_connected === false) {
      return { ...base, tone: 'wait', title: { key: 'connection_no_edge' }, help: { key: 'connection_no_edge_help' } };
    }
    if (setAside > 0) return { ...base, tone: 'bad', help: { key: 'messages_set_aside', args: [String(setAside)] } };
    const help = queue.messages > 0 ? { key: 'queue_waiting', args: [String(queue.messages)] } : null;
    return { ...base, tone: 'good', help };
  }
  if (state === 'connecting') return { ...base, tone: 'wait', help: null };
  const retry = retryAt !== null && retryAt > now ? format.span(retryAt - now) : '';
  const isRetried = (state === 'unreachable' || state === 'closed') && retry !== '';
  const key = isRetried ? `connection_${state}_retry` : `connection_${state}_help`;
  return { ...base, tone: 'bad', help: { key, args: [agentUrl, retry] } };
}

export interface SystemShown {
  mode: 'running' | 'paused' | 'draining' | 'unknown';
  label: Text;
  tone: Tone;
  note: Text | null;
  /** What can be asked for now. */
  offers: 'pause' | 'resume' | null;
}

/** Without a connection the mode is the last one that was confirmed, and says so. */
export function describeSystem({ connection, snapshot, snapshotAt }: PeopleView, format: Format): SystemShown {
  if (snapshot === null || !snapshot.system.is_known) {
    return {
      mode: 'unknown',
      label: { key: 'mode_unknown' },
      tone: 'calm',
      note: { key: 'mode_unknown_note' },
      offers: null,
    };
  }
  const { mode, hold } = snapshot.system;
  const tone = mode === 'running' ? 'good' : 'wait';
  const shown = { mode, label: { key: `mode_${mode}` }, tone } as const;
  if (connection.state !== 'connected') {
    const note = { key: 'mode_as_of', args: [format.clock(snapshotAt ?? 0)] };
    return { ...shown, tone: 'calm', note, offers: null };
  }
  const note: Text | null = hold === true ? { key: 'mode_held' } : { key: `mode_${mode}_note` };
  return { ...shown, note, offers: mode === 'running' ? 'pause' : 'resume' };
}
