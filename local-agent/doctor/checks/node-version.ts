/** Whether this Node runs the program: what package.json asks for. */
import { join } from 'node:path';
import { z } from 'zod';
import { PROGRAM_FOLDER } from '../../host/program-file.ts';
import { isOlderVersion } from '../../lib/version.ts';
import type { Check } from '../check.ts';
import { found, Skipped } from '../check.ts';
import type { World } from '../world.ts';

const PackageSchema = z.object({ engines: z.object({ node: z.string().regex(/^>=\d+(\.\d+)*$/) }) });

export const nodeVersion: Check<World> = {
  id: 'node-version',
  group: 'program',
  title: 'Node version',
  look: (world) => {
    const { machine } = world;
    const path = join(PROGRAM_FOLDER, 'package.json');
    const text = machine.readFile(path);
    if (text === null) throw new Skipped(`${path} is missing`);
    const least = PackageSchema.parse(JSON.parse(text)).engines.node.slice(2);
    if (!isOlderVersion(machine.nodeVersion, least)) {
      return { state: 'ok', note: `${machine.nodeVersion}; ${least} or newer is needed` };
    }
    // The packages that have a Node are for Linux.
    const isBrought = process.platform === 'linux';
    return found({
      code: 'node_too_old',
      severity: 'error',
      what: `Node ${machine.nodeVersion} runs this program, which needs ${least} or newer`,
      why: 'an older Node does not run it, or only in part',
      advice: isBrought
        ? 'let npm bring one into node_modules, which every command of this program then uses'
        : `install Node ${least} or newer from https://nodejs.org, and run this again with it`,
      command: isBrought ? world.inProgram('npm ci') : null,
    });
  },
};
