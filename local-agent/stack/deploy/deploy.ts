/**
 * `npm run deploy`: steps in order. Each looks first and changes only what is missing, so a run after a failure continues
 * where it ended, and a run after success changes nothing but the Worker.
 */
import { checkAccount, deployWorker, ensureBuckets, ensureDatabase, ensureSecret, migrate } from './account-steps.ts';
import { requireRootFor } from './decide.ts';
import { checkHealth, ensureConfig, ensureOperator } from './edge-steps.ts';
import { rootFacts } from './kept.ts';
import type { Deployment, Step } from './step.ts';
import { StepError } from './step-error.ts';
import { requireSuccess } from './wrangler.ts';

const checkRoot: Step = {
  name: 'root',
  would: 'check that the root belongs to no other system',
  run: async ({ root, target }) => {
    requireRootFor(target.worker, rootFacts(root));
    return root;
  },
};

/** In a build of Cloudflare there is no person, no root, and the secret was set in the dashboard. */
function stepsOf({ target, env }: Deployment): Step[] {
  const account: Step[] = [
    { name: 'account', would: 'ask wrangler who is logged in', run: checkAccount },
    { name: 'database', would: `create the D1 database ${target.database} if it is missing`, run: ensureDatabase },
    {
      name: 'migrations',
      would: 'keep a Time Travel bookmark, then apply the migrations that the database lacks',
      run: migrate,
    },
  ];
  const buckets: Step = {
    name: 'bucket',
    would: `create ${target.buckets.join(', ')} if missing`,
    run: ensureBuckets,
  };
  const secret: Step = {
    name: 'secret',
    would: 'set BAA_BOOTSTRAP_TOKEN if it is missing, to 32 random bytes or to the variable of that name',
    run: ensureSecret,
  };
  const worker: Step[] = [
    { name: 'worker', would: `deploy ${target.worker}`, run: deployWorker },
    { name: 'health', would: 'ask /healthz until it is ok, for a minute', run: checkHealth },
  ];
  const host: Step[] = [
    { name: 'operator', would: 'create the first operator token in state/operator.token', run: ensureOperator },
    { name: 'config', would: 'write control_api_base into config.toml, after a question', run: ensureConfig },
  ];
  const withBuckets = target.buckets.length > 0 ? [...account, buckets] : account;
  if (env.WORKERS_CI) return [...withBuckets, ...worker];
  return [checkRoot, ...withBuckets, secret, ...worker, ...host];
}

const WIDTH = 10;

/** Says what would be done, and builds the Worker as a deploy would. Asks nothing of the account. */
async function dryRun(deployment: Deployment): Promise<void> {
  for (const { name, would } of stepsOf(deployment)) deployment.say(`${name.padEnd(WIDTH)} would ${would}`);
  const args = ['deploy', '--dry-run', '--outdir', 'dist', deployment.envArg];
  const { out } = requireSuccess(args, await deployment.run(args));
  const size = /Total Upload:.*/.exec(out)?.[0] ?? 'built into dist/';
  deployment.say(`${'build'.padEnd(WIDTH)} ${size}`);
}

/** Resolves with whether everything succeeded. */
export async function deploy(deployment: Deployment): Promise<boolean> {
  const { say } = deployment;
  let at = 'build';
  try {
    if (deployment.flags.dryRun) {
      await dryRun(deployment);
      return true;
    }
    for (const { name, run } of stepsOf(deployment)) {
      at = name;
      deployment.begin(name);
      say(`${name.padEnd(WIDTH)} ${await run(deployment)}`);
    }
    return true;
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    say(`${at.padEnd(WIDTH)} FAILED: ${error.message}`);
    for (const line of error.why.split('\n')) say(`${' '.repeat(WIDTH)} ${line}`);
    say(`${' '.repeat(WIDTH)} next: ${error.next}`);
    return false;
  }
}
