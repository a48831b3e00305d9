/** `pause`, `resume`, `drain`: the system mode. */
import { SystemChangeResponseSchema } from '../../schema/contracts/system.ts';
import { edgeArgs, withEdge } from './edge-access.ts';
import { present } from './output.ts';
import type { Verb } from './verb.ts';
import { EXIT, optionalText } from './verb.ts';

function modeVerb(name: 'pause' | 'resume' | 'drain', about: string): Verb {
  const interrupt = { interrupt: { type: 'boolean', description: 'also cancel what is running' } } as const;
  return {
    name,
    about,
    args: {
      ...edgeArgs,
      reason: { type: 'string', description: 'why, for whoever looks next' },
      ...(name === 'pause' && interrupt),
    },
    run: async (args, deps) => {
      const reason = optionalText(args, 'reason');
      const body = { ...(reason !== undefined && { reason }), ...(args.interrupt === true && { interrupt: true }) };
      const answer = await withEdge(args, deps, (edge) =>
        edge.call({ method: 'POST', path: `/v1/system/${name}`, body, schema: SystemChangeResponseSchema }),
      );
      present(args, deps, answer, () => deps.print(answer.summary));
      return EXIT.fine;
    },
  };
}

export const pause = modeVerb('pause', 'claim nothing ordinary any more');
export const resume = modeVerb('resume', 'work again');
export const drain = modeVerb('drain', 'finish what has begun, begin nothing');
