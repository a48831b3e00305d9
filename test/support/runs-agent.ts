/** A node that runs steps, as a process that a test kills: `node runs-agent.ts OPTIONS`, the options as JSON. */
import type { RunsNodeOptions } from './runs-node.ts';
import { openRunsNode } from './runs-node.ts';

openRunsNode(JSON.parse(process.argv[2] ?? '{}') as RunsNodeOptions).start();
process.stdout.write('started\n');
