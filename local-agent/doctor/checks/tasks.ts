/** Whether the repositories and coding agents of config.toml are there. */
import { readHostTables } from '../../config/resolve.ts';
import { configPathOf } from '../../config/root-files.ts';
import { shellWord } from '../../lib/printed-command.ts';
import type { Check, Finding } from '../check.ts';
import { outcomeOf, Skipped } from '../check.ts';
import type { World } from '../world.ts';

/** The words of git in English, in every language of a person. */
const IN_ENGLISH = { LC_ALL: 'C' };

async function lookAtRepository(world: World, name: string, path: string): Promise<Finding[]> {
  const { machine, sources } = world;
  const { how } = await world.startAgain();
  const place = `repos.${name} in ${configPathOf(sources.root)}`;
  const correct = `correct ${place}, and ${how}`;
  const common = { severity: 'error', why: 'tasks for it fail on this host' } as const;
  const word = shellWord(path);
  if (!machine.isFolder(path)) {
    const advice = `mount its disk, or clone it there with "git clone ADDRESS ${word}"; or ${correct}`;
    return [
      {
        code: 'repository_missing',
        ...common,
        what: `repos.${name}: there is no folder ${path}`,
        advice,
        command: null,
      },
    ];
  }
  const git = (...args: string[]) =>
    machine.askProgram(['git', '-C', path, ...args], { ...sources.env, ...IN_ENGLISH });
  const { code, text } = await git('rev-parse', '--git-dir');
  if (code !== 0 && text.includes('dubious ownership')) {
    return [
      {
        code: 'repository_not_trusted',
        ...common,
        what: `repos.${name}: ${path} belongs to another user, so git refuses it`,
        advice: 'when you trust who can write in it, tell git so',
        command: `git config --global --add safe.directory ${word}`,
      },
    ];
  }
  if (code !== 0) {
    return [
      {
        code: 'repository_no_git',
        ...common,
        what: `repos.${name}: ${path} is no Git repository: ${text}`,
        advice: `when it is the right folder, make it a repository, and commit what tasks need; or ${correct}`,
        command: `git -C ${word} init && git -C ${word} commit --allow-empty -m 'Begin'`,
      },
    ];
  }
  if ((await git('rev-parse', '--verify', '--quiet', 'HEAD')).code === 0) return [];
  return [
    {
      code: 'repository_empty',
      ...common,
      what: `repos.${name}: ${path} has no commit from which a task could start`,
      advice: 'make a first commit; a task sees only what is committed',
      command: `git -C ${word} commit --allow-empty -m 'Begin'`,
    },
  ];
}

export const repositories: Check<World> = {
  id: 'repositories',
  group: 'tasks',
  title: 'Repositories',
  look: async (world) => {
    const { machine, sources } = world;
    // Read first: an invalid configuration says nothing about repositories.
    void world.resolved;
    const all = Object.entries(readHostTables(sources.root, machine.readFile).repos);
    const looked = await Promise.all(all.map(([name, path]) => lookAtRepository(world, name, path)));
    return outcomeOf(looked.flat(), all.length === 0 ? 'none configured' : all.map(([name]) => name).join(', '));
  },
};

/** The PATH of the programs that the agent starts, which a service may have from another shell. */
async function programPath({ facts, config, sources: { env } }: World): Promise<string> {
  try {
    const { program_path } = await facts.agent();
    if (program_path !== undefined) return program_path.path;
  } catch (error) {
    if (!(error instanceof Skipped)) throw error;
  }
  return config.programPath ?? env.PATH ?? '';
}

export const codingAgents: Check<World> = {
  id: 'coding-agents',
  group: 'tasks',
  title: 'Coding agents',
  look: async (world) => {
    const {
      machine,
      sources: { root },
    } = world;
    const path = await programPath(world);
    const { how } = await world.startAgain();
    const { agents } = readHostTables(root, machine.readFile);
    const notes: string[] = [];
    const looked = await Promise.all(
      Object.entries(agents).map(async ([name, { command, env_file }]): Promise<Finding[]> => {
        const why = 'steps for it fail on this host with agent_not_configured';
        const correct = `correct agents.${name} in ${configPathOf(root)}, and ${how}`;
        if (env_file !== undefined && machine.modeOf(env_file) === null) {
          const what = `agents.${name}: the file ${env_file} with its variables is not there`;
          const advice = `write a line NAME=value for each variable into it by this line, which Ctrl-D ends; or ${correct}`;
          const command = `(umask 077; cat > ${shellWord(env_file)})`;
          return [{ code: 'coding_agent_variables', severity: 'error', what, why, advice, command }];
        }
        const program = machine.findProgram(command, path);
        if (program === null) {
          const where = command.includes('/') ? 'is no program of that path' : `is in no folder of PATH (${path})`;
          const what = `agents.${name}: ${command} ${where}`;
          const advice = `install it there, or name another by its absolute path: ${correct}`;
          return [{ code: 'coding_agent_missing', severity: 'error', what, why, advice, command: null }];
        }
        const { code, text } = await machine.askProgram([program, '--version']);
        notes.push(`${name}: ${code === 0 ? (text.split('\n')[0] ?? '') : `${program} (it does not say its version)`}`);
        return [];
      }),
    );
    return outcomeOf(looked.flat(), notes.length === 0 ? 'none configured' : notes.sort().join('; '));
  },
};
