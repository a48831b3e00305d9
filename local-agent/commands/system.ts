/** `pause`, `resume`, `drain`: change the system mode. */
import { Option } from 'commander';
import { SystemChangeResponseSchema } from '../../schema/contracts/system.ts';
import { reasonOf, reasonOption } from './change.ts';
import type { CliCommand } from './command.ts';
import { edgeOptions, withEdge } from './edge-access.ts';
import { EXIT } from './exit-codes.ts';
import { present } from './output.ts';

const holdOption = new Option('--hold', 'leave the end of this pause to a person: no chat resumes it');
const interruptOption = new Option('--interrupt', 'also cancel running instructions');

function modeCommand(name: 'pause' | 'resume' | 'drain', about: string): CliCommand {
  return {
    name,
    about,
    examples: [name, `${name} --reason 'maintenance of the host'`],
    options: [...edgeOptions, reasonOption, ...(name === 'pause' ? [interruptOption, holdOption] : [])],
    run: async (args, deps) => {
      const body = {
        ...reasonOf(args),
        ...(args.interrupt === true && { interrupt: true }),
        ...(args.hold === true && { hold: true }),
      };
      const response = await withEdge(args, deps, (edge) =>
        edge.call({ method: 'POST', path: `/v1/system/${name}`, body, schema: SystemChangeResponseSchema }),
      );
      present(args, deps, response, () => deps.print(response.summary));
      return EXIT.fine;
    },
  };
}

export const pause = modeCommand('pause', 'start no ordinary work until resume');
export const resume = modeCommand('resume', 'run work again');
export const drain = modeCommand('drain', 'finish running work and start no new work');
