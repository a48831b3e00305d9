/** A command of `conductor` in this process, as the operator of a cluster at one of its nodes. */
import { defaultDeps } from '../../local-agent/commands/deps.ts';
import { runCli } from '../../local-agent/commands/main.ts';
import type { Cluster, TestNode } from './cluster.ts';

/** Runs it; resolves with its exit code and output. */
export async function operatorCommand(
  { stack, operatorToken }: Cluster,
  { root, id }: TestNode,
  ...argv: string[]
): Promise<{ code: number; out: string }> {
  const lines: string[] = [];
  const print = (line: string) => lines.push(line);
  const env = {
    BAA_ROOT: root,
    BAA_NODE_ID: id,
    BAA_CONTROL_API_BASE: stack.edgeUrl,
    BAA_OPERATOR_TOKEN: operatorToken,
  };
  const stopSignal = () => new Promise<never>(() => undefined);
  const code = await runCli(argv, { ...defaultDeps, env, print, warn: print, prompts: null, stopSignal });
  return { code, out: lines.join('\n') };
}
