/** Who a token is at the edge. */
import type { Session } from '../../../schema/contracts/tokens.ts';
import { SessionSchema } from '../../../schema/contracts/tokens.ts';
import { EdgeError } from '../../edge/http-client.ts';
import type { Deployment } from './step.ts';

const REFUSED: readonly number[] = [401, 403];

/** Null for a token that the edge does not accept. @throws EdgeError when the edge cannot be asked */
export async function sessionOf(
  { connect }: Pick<Deployment, 'connect'>,
  address: string,
  token: string,
): Promise<Session | null> {
  const edge = connect(address, token);
  try {
    return await edge.call({ method: 'GET', path: '/v1/session', schema: SessionSchema });
  } catch (error) {
    if (error instanceof EdgeError && REFUSED.includes(error.status)) return null;
    throw error;
  } finally {
    await edge.close();
  }
}
