/** `conductor::system/pause`, `resume`, `drain`: a chat asks for a mode, by the same operation as a person. */
import type { SystemMode } from '../../../schema/contracts/system.ts';
import { changeSystemMode } from '../../system/mode.ts';
import type { EdgeToolContext, EdgeToolOutcome } from './tool.ts';

function change(mode: SystemMode) {
  return async ({ reason }: { reason?: string | undefined }, context: EdgeToolContext): Promise<EdgeToolOutcome> => {
    const { requested_by, approved } = context;
    const change = { mode, requested_by, reason: reason ?? null, by_person: approved };
    const { response, plan } = await changeSystemMode(context, change);
    if (response !== null) return { output: response.summary, plan };
    const output = 'a person holds the system paused since this was claimed; write it again, and it asks a person';
    return { output, denied: 'held_by_a_person' };
  };
}

export const systemPause = change('paused');
export const systemResume = change('running');
export const systemDrain = change('draining');
