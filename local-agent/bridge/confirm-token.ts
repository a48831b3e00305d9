/**
 * Asks the edge whose token a browser is to be paired with. Without this, the token of the node and a connection to
 * loopback would be enough to pair an origin of one's choice, and its chats run tools under the policy.
 */
import { SessionSchema } from '../../schema/contracts/tokens.ts';
import { AppError } from '../../schema/errors.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import { EdgeError } from '../edge/http-client.ts';

interface ConfirmDeps {
  edge: Pick<EdgeClient, 'call'>;
  /** The line by which a person creates the token. */
  pairCommand: string;
}

/** The browser whose own token that is; null when it is another one's. @throws EdgeError */
export async function readTokenOwner(edge: Pick<EdgeClient, 'call'>, token: string): Promise<string | null> {
  const { role, subject } = await edge.call({ method: 'GET', path: '/v1/session', token, schema: SessionSchema });
  return role === 'browser_admin' ? subject : null;
}

/**
 * @throws AppError `forbidden` when the edge does not know the token as that browser's own, `edge_unreachable` when the
 *   edge cannot say.
 */
export async function confirmToken({ edge, pairCommand }: ConfirmDeps, clientId: string, token: string): Promise<void> {
  const refusal = `the edge does not know this token as that of the browser ${clientId}; nothing was paired. Create it with: ${pairCommand}`;
  try {
    if ((await readTokenOwner(edge, token)) === clientId) return;
  } catch (error) {
    if (!(error instanceof EdgeError)) throw error;
    if (error.retryable) {
      throw new AppError(
        'edge_unreachable',
        `the edge could not confirm the token (${error.message}); nothing was paired. Try again when the edge responds`,
      );
    }
  }
  throw new AppError('forbidden', refusal, { details: { field: 'token', expected: `the token of ${clientId}` } });
}
