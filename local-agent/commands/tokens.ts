/** `tokens`: the tokens that give access to the edge. */
import { z } from 'zod';
import { ROLES, TokenCreateBodySchema, TokenCreatedSchema, TokenSchema } from '../../schema/contracts/tokens.ts';
import { choiceOption, valueOption } from '../config/flags.ts';
import type { Args, CliCommand } from './command.ts';
import { idArgument, optionalText } from './command.ts';
import { edgeOptions, withEdge } from './edge-access.ts';
import { EXIT, UsageError } from './exit-codes.ts';
import { listCommand } from './lists.ts';
import { moment, present } from './output.ts';
import { callOnce, operationOf, operationOption } from './repeatable.ts';
import { rotateToken } from './rotate-token.ts';

const PATH = '/v1/tokens';

const list = listCommand({
  about: 'list tokens, without their secrets',
  examples: ['tokens list'],
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
  const node = optionalText(args, 'controllerId');
  const expires = optionalText(args, 'expiresInMs');
  const body = TokenCreateBodySchema.safeParse({
    role: args.role,
    subject: args.subject,
    ...(node !== undefined && { controller_id: node }),
    ...(expires !== undefined && { expires_in_ms: Number(expires) }),
  });
  if (body.success) return body.data;
  const problems = body.error.issues.map((issue) => `--${issue.path.join('.').replaceAll('_', '-')}: ${issue.message}`);
  throw new UsageError(problems.join('\n'));
}

const createOptions = [
  ...edgeOptions,
  choiceOption('--role <role>', 'what it may do', ROLES).makeOptionMandatory(),
  valueOption('--subject <subject>', 'whose token it is').makeOptionMandatory(),
  valueOption('--controller-id <node>', 'the node that the token is bound to'),
  valueOption('--expires-in-ms <ms>', 'lifetime (default: until it is revoked)'),
  operationOption,
];

const create: CliCommand = {
  name: 'create',
  about: 'create a token; its secret is shown only once',
  examples: [
    'tokens create --role readonly --subject monitoring',
    'tokens create --role controller --subject mini --controller-id mini',
  ],
  options: createOptions,
  run: async (args, deps) => {
    const body = createBody(args);
    const operation = operationOf({ path: 'tokens create', options: createOptions }, args, deps);
    const request = { method: 'POST', path: PATH, body, idempotencyKey: operation.id } as const;
    const created = await withEdge(args, deps, (edge) =>
      callOnce(deps, operation, () => edge.call({ ...request, schema: TokenCreatedSchema })),
    );
    present(args, deps, created, () => {
      deps.print(created.token);
      deps.warn(`${created.token_id}: ${created.role} for ${created.subject}. The secret is not shown again.`);
    });
    return EXIT.fine;
  },
};

const revoke: CliCommand = {
  name: 'revoke',
  about: 'revoke a token',
  examples: ['tokens revoke TOKEN_ID'],
  argument: idArgument('token', 'tok_…'),
  options: edgeOptions,
  run: async (args, deps) => {
    const id = String(args.token);
    const response = await withEdge(args, deps, (edge) =>
      edge.call({ method: 'DELETE', path: `${PATH}/${encodeURIComponent(id)}`, schema: z.looseObject({}) }),
    );
    present(args, deps, response, () => deps.print(`${id} is revoked`));
    return EXIT.fine;
  },
};

export const tokens: readonly CliCommand[] = [create, list, rotateToken, revoke];
