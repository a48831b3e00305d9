/** The account of the user that runs the agent. */
import { userInfo } from 'node:os';

export function ownAccount(): { username: string; homedir: string; shell: string | null } {
  try {
    return userInfo();
  } catch {
    // A user id without an entry in the table of users, as in some containers.
    return { username: '', homedir: '/', shell: null };
  }
}
