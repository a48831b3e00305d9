/** `conductor::system/pause`, `resume`, `drain`: a chat asks for a mode, by the same operation as a person. */
import type { SystemMode } from '../../../schema/contracts/system.ts';
import { changeSystemMode } from '../../system/mode.ts';
import type { EdgeToolContext, EdgeToolOutcome } from './tool.ts';

function change(mode: SystemMode) {
  return async ({ reason }: { reason?: string | undefined }, context: EdgeToolContext): Promise<EdgeToolOutcome> => {
    const { requested_by } = context;
    const { response, plan } = await changeSystemMode(context, { mode, requested_by, reason: reason ?? null });
    return { output: response.summary, plan };
  };
}

export const systemPause = change('paused');
export const systemResume = change('running');
export const systemDrain = change('draining');
