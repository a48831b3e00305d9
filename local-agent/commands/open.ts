/** `open`: a link to the status page that signs in once. */
import { SignInLinkSchema } from '../../schema/contracts/tokens.ts';
import type { CliCommand } from './command.ts';
import { edgeOptions, withEdge } from './edge-access.ts';
import { EXIT } from './exit-codes.ts';
import { present } from './output.ts';

export const open: CliCommand = {
  name: 'open',
  about: 'make a link that opens the status page and signs in, once and within five minutes',
  examples: ['open'],
  options: edgeOptions,
  run: async (args, deps) => {
    const link = await withEdge(args, deps, (edge) =>
      edge.call({ method: 'POST', path: '/v1/session/links', body: {}, schema: SignInLinkSchema }),
    );
    present(args, deps, link, () => {
      deps.print(link.sign_in_url);
      deps.warn('open it in a browser within five minutes; it signs in once, so give it to no other person');
    });
    return EXIT.fine;
  },
};
