/** `runs patch`: what a run has changed in its repository, as `git apply --binary` takes it. */
import { pageOf } from '../../schema/contracts/common.ts';
import { CheckpointDetailSchema, CheckpointSchema } from '../../schema/contracts/runs.ts';
import { HTTP } from '../../schema/defaults.ts';
import { diffOf } from '../../schema/domain/patch-commits.ts';
import { makeVisible } from '../../schema/domain/visible.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import type { CliCommand } from './command.ts';
import { idArgument } from './command.ts';
import { edgeOptions, withEdge } from './edge-access.ts';
import { EXIT, RefusedError } from './exit-codes.ts';
import { present } from './output.ts';
import { readList } from './read-pages.ts';

/** The newest patch of a run, with its content. @throws RefusedError when the edge has none */
async function readNewestPatch(edge: EdgeClient, runId: string) {
  const path = `/v1/runs/${encodeURIComponent(runId)}/checkpoints`;
  const all = await readList(`checkpoints of ${runId}`, (cursor) => {
    const after = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page = { path: `${path}?limit=${HTTP.list_limit_max}${after}`, schema: pageOf(CheckpointSchema) };
    return edge.call({ method: 'GET', ...page });
  });
  const newest = all.findLast(({ type }) => type === 'git_diff');
  if (newest === undefined)
    throw new RefusedError(`${runId} has saved no patch: it has changed nothing in a repository`);
  const patch = await edge.call({ method: 'GET', path: `${path}/${newest.seq}`, schema: CheckpointDetailSchema });
  if (patch.content !== null) return { ...patch, content: patch.content };
  const where = `checkpoint ${newest.seq} in the folder that \`runs show ${runId}\` names`;
  throw new RefusedError(`the edge does not keep the content of this patch: read ${where}`);
}

export const runPatch: CliCommand = {
  name: 'patch',
  about: 'print what a run has changed in its repository, as a patch',
  examples: ['runs patch RUN_ID'],
  argument: idArgument('run', 'run_…'),
  options: edgeOptions,
  run: async (args, deps) => {
    const patch = await withEdge(args, deps, (edge) => readNewestPatch(edge, String(args.run)));
    const bytes = Buffer.from(patch.content, 'base64');
    present(args, deps, patch, () => {
      if (patch.truncated) deps.warn('this patch is not whole: git cannot apply it');
      deps.printBytes(deps.isTerminal ? Buffer.from(makeVisible(diffOf(bytes.toString('utf8')))) : bytes);
    });
    return EXIT.fine;
  },
};
