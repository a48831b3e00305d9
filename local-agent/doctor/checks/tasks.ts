/** Whether the repositories and coding agents of config.toml are there. */
import { readHostTables } from '../../config/resolve.ts';
import { configPathOf } from '../../config/root-files.ts';
import type { Check, Finding } from '../check.ts';
import { outcomeOf } from '../check.ts';
import type { World } from '../world.ts';

export const repositories: Check<World> = {
  id: 'repositories',
  group: 'tasks',
  title: 'Repositories',
  look: async ({ machine, sources: { root }, resolved: _valid }) => {
    const { repos } = readHostTables(root, machine.readFile);
    const all = Object.entries(repos);
    const looked = await Promise.all(
      all.map(async ([name, path]): Promise<Finding[]> => {
        const advice = `correct repos.${name} in ${configPathOf(root)}, and start the agent again`;
        const why = 'tasks for it fail on this host';
        if (!machine.isFolder(path)) {
          const command = `git clone ADDRESS ${path}`;
          return [{ severity: 'error', what: `repos.${name}: there is no folder ${path}`, why, advice, command }];
        }
        const { code, text } = await machine.askProgram(['git', '-C', path, 'rev-parse', '--git-dir']);
        if (code === 0) return [];
        const what = `repos.${name}: ${path} is no Git repository: ${text}`;
        return [{ severity: 'error', what, why, advice, command: `git -C ${path} init` }];
      }),
    );
    return outcomeOf(looked.flat(), all.length === 0 ? 'none configured' : all.map(([name]) => name).join(', '));
  },
};

export const codingAgents: Check<World> = {
  id: 'coding-agents',
  group: 'tasks',
  title: 'Coding agents',
  look: async ({ machine, config, sources: { root, env } }) => {
    const { agents } = readHostTables(root, machine.readFile);
    const path = config.programPath ?? env.PATH ?? '';
    const notes: string[] = [];
    const looked = await Promise.all(
      Object.entries(agents).map(async ([name, { command, env_file }]): Promise<Finding[]> => {
        const why = 'steps for it fail on this host with agent_not_configured';
        const advice = `install it, or correct agents.${name} in ${configPathOf(root)}; then start the agent again`;
        if (env_file !== undefined && machine.modeOf(env_file) === null) {
          const what = `agents.${name}: the file ${env_file} with its variables is not there`;
          return [{ severity: 'error', what, why, advice, command: null }];
        }
        const program = machine.findProgram(command, path);
        if (program === null) {
          const where = command.includes('/') ? 'is no program' : `is in no folder of PATH (${path})`;
          return [{ severity: 'error', what: `agents.${name}: ${command} ${where}`, why, advice, command: null }];
        }
        const { code, text } = await machine.askProgram([program, '--version']);
        notes.push(`${name}: ${code === 0 ? (text.split('\n')[0] ?? '') : `${program} (it does not say its version)`}`);
        return [];
      }),
    );
    return outcomeOf(looked.flat(), notes.length === 0 ? 'none configured' : notes.sort().join('; '));
  },
};
