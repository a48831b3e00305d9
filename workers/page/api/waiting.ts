/** What waits for a person: the navigation counts its approvals, Now lists it, and notifications announce it. */
import type { WaitingForPerson } from '../../../schema/contracts/waiting.ts';
import { WaitingSchema } from '../../../schema/contracts/waiting.ts';
import { useRead } from '../page-context.ts';
import { WAITING_PATH } from './first-paths.ts';
import type { Read } from './store.ts';

export { WAITING_PATH };

const TOPICS = ['instructions', 'messages', 'tasks', 'clients', 'conversations'] as const;

export function useWaiting(): Read<WaitingForPerson> {
  return useRead(WAITING_PATH, WaitingSchema, TOPICS);
}
