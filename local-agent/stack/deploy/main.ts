/** `npm run deploy`: the options, and what a deploy needs of this machine. */
import { resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { describeFailure, EXIT } from '../../commands/exit-codes.ts';
import { CanceledError, terminalPrompts } from '../../commands/prompts.ts';
import { keptFilesOf } from '../../config/deployed.ts';
import { valueOption } from '../../config/flags.ts';
import { rememberRoot } from '../../config/known-roots.ts';
import { defaultRoot } from '../../config/root-files.ts';
import { createEdgeClient } from '../../edge/http-client.ts';
import { isLoopback } from '../../lib/loopback.ts';
import { REPOSITORY } from '../layout.ts';
import { readWranglerToml } from './account-steps.ts';
import { deploy } from './deploy.ts';
import { changedMigrations } from './migration-files.ts';
import type { Deployment } from './step.ts';
import { StepError } from './step-error.ts';
import { targetOf } from './target.ts';
import { wranglerIn } from './wrangler.ts';

interface Flags {
  env: string;
  root?: string;
  address?: string;
  dryRun?: true;
  newSecret?: true;
  writeConfig?: true;
}

export function createProgram(): Command {
  return new Command('npm run deploy --')
    .description(
      'Deploys the edge to your Cloudflare account: database, migrations, secret, Worker, first token. Run it again at any time: it changes only what is missing.',
    )
    .option('--env <name>', 'environment of wrangler.toml, such as staging (default: the one at its top)', '')
    .addOption(
      valueOption('--root <folder>', 'keep tokens and address below this folder (default: BAA_ROOT, or ~/.baa)'),
    )
    .option('--address <url>', 'address of the edge, when wrangler cannot know it', parseAddress)
    .option('--write-config', 'write control_api_base into config.toml without a question')
    .option('--new-secret', 'set a new bootstrap secret: it ends all sign-in links and sessions')
    .option('--dry-run', 'say what would be done and build the Worker, without an account')
    .exitOverride();
}

/** @throws InvalidArgumentError when secrets would leave this machine in clear */
function parseAddress(value: string): string {
  const url = URL.parse(value);
  // The first token is made with the bootstrap secret, which must not cross a network in clear.
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname))) return url.origin;
  throw new InvalidArgumentError('It is not an https address, such as https://conductor.example.com.');
}

/** Clears the line of a terminal. */
const CLEAR_LINE = `\r${String.fromCharCode(27)}[K`;

/** On a terminal the result of a step takes the place of its name; in a pipe each has a line. */
export function speaker(isTerminal: boolean, write: (text: string) => void): Pick<Deployment, 'say' | 'begin'> {
  return {
    begin: (step) => write(isTerminal ? `${step} …` : `${step} …\n`),
    say: (line) => write(isTerminal ? `${CLEAR_LINE}${line}\n` : `${line}\n`),
  };
}

/** Leaving the question is a no: what was deployed stays. */
async function confirm(question: string): Promise<boolean> {
  process.stdout.write(CLEAR_LINE);
  try {
    return await terminalPrompts.confirm(question);
  } catch (error) {
    if (error instanceof CanceledError) return false;
    throw error;
  }
}

function deploymentOf(flags: Flags): Deployment {
  const root = resolve(flags.root ?? process.env.BAA_ROOT ?? defaultRoot());
  const run = wranglerIn(REPOSITORY, process.env);
  const deployment: Deployment = {
    target: targetOf(readWranglerToml(REPOSITORY), flags.env),
    flags: {
      dryRun: flags.dryRun === true,
      newSecret: flags.newSecret === true,
      writeConfig: flags.writeConfig === true,
      address: flags.address ?? null,
    },
    folder: REPOSITORY,
    root,
    files: keptFilesOf(root),
    env: process.env,
    envArg: `--env=${flags.env}`,
    run: (args, options) => {
      const account = deployment.accountId;
      const named: Record<string, string> = account === null ? {} : { CLOUDFLARE_ACCOUNT_ID: account };
      return run(args, { ...options, env: { ...named, ...options?.env } });
    },
    changedMigrations: () => changedMigrations(REPOSITORY),
    ...speaker(process.stdout.isTTY === true, (text) => process.stdout.write(text)),
    confirm: process.stdin.isTTY ? confirm : null,
    connect: (baseUrl, token) => createEdgeClient({ baseUrl, token, now: Date.now }),
    now: Date.now,
    wait: (ms) => setTimeout(ms),
    accountId: null,
    address: null,
  };
  return deployment;
}

async function main(argv: readonly string[]): Promise<number> {
  try {
    const deployment = deploymentOf(createProgram().parse(argv, { from: 'user' }).opts<Flags>());
    const isDone = await deploy(deployment);
    if (isDone && !deployment.flags.dryRun) rememberRoot(deployment.root);
    return isDone ? EXIT.fine : EXIT.failed;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.usage;
    if (!(error instanceof StepError)) console.error(`npm run deploy: ${describeFailure(error)}`);
    else console.error(`npm run deploy: ${error.message}: ${error.why}; ${error.next}`);
    return EXIT.failed;
  }
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
