/** `tokens`: who may talk to the edge. */
import { z } from 'zod';
import { TokenCreateBodySchema, TokenCreatedSchema, TokenSchema } from '../../schema/contracts/tokens.ts';
import { edgeArgs, withEdge } from './edge-access.ts';
import { listVerb } from './lists.ts';
import { moment, present } from './output.ts';
import type { Args, Verb } from './verb.ts';
import { EXIT, optionalText, text, UsageError } from './verb.ts';

const PATH = '/v1/tokens';

const list = listVerb({
  about: 'tokens, without their secrets',
  path: PATH,
  item: TokenSchema,
  filters: {},
  head: ['ID', 'ROLE', 'SUBJECT', 'NODE', 'EXPIRES', 'LAST USED', 'REVOKED'],
  row: (one) => [
    one.token_id,
    one.role,
    one.subject,
    one.controller_id,
    moment(one.expires_at),
    moment(one.last_used_at),
    moment(one.revoked_at),
  ],
  none: 'no token yet',
});

function createBody(args: Args) {
  const node = optionalText(args, 'controller-id');
  const expires = optionalText(args, 'expires-in-ms');
  const body = TokenCreateBodySchema.safeParse({
    role: text(args, 'role'),
    subject: text(args, 'subject'),
    ...(node !== undefined && { controller_id: node }),
    ...(expires !== undefined && { expires_in_ms: Number(expires) }),
  });
  if (body.success) return body.data;
  const problems = body.error.issues.map((issue) => `--${issue.path.join('.').replaceAll('_', '-')}: ${issue.message}`);
  throw new UsageError(problems.join('\n'));
}

const create: Verb = {
  name: 'create',
  about: 'make a token; its secret is shown once',
  args: {
    ...edgeArgs,
    role: { type: 'string', description: 'controller, worker, browser_admin, ops_admin or readonly', required: true },
    subject: { type: 'string', description: 'whose it is', required: true },
    'controller-id': { type: 'string', description: 'the node it is bound to' },
    'expires-in-ms': { type: 'string', description: 'life; without it, until it is revoked' },
  },
  run: async (args, deps) => {
    const body = createBody(args);
    const made = await withEdge(args, deps, (edge) =>
      edge.call({ method: 'POST', path: PATH, body, schema: TokenCreatedSchema }),
    );
    present(args, deps, made, () => {
      deps.print(made.token);
      deps.warn(`${made.token_id}: ${made.role} for ${made.subject}. This is the only time the secret is shown.`);
    });
    return EXIT.fine;
  },
};

const revoke: Verb = {
  name: 'revoke',
  about: 'end a token',
  args: { ...edgeArgs, token: { type: 'positional', description: 'its id (tok_…)', required: true } },
  run: async (args, deps) => {
    const id = String(args.token);
    const answer = await withEdge(args, deps, (edge) =>
      edge.call({ method: 'DELETE', path: `${PATH}/${encodeURIComponent(id)}`, schema: z.looseObject({}) }),
    );
    present(args, deps, answer, () => deps.print(`${id} is revoked`));
    return EXIT.fine;
  },
};

export const tokens: readonly Verb[] = [create, list, revoke];
