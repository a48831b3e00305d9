import { Argument, Command } from 'commander';
import { expect, it } from 'vitest';
import type { Args } from '../../../../local-agent/commands/command.ts';
import { addCommand } from '../../../../local-agent/commands/command.ts';
import { commandWorld } from '../../../support/command-deps.ts';

it('an argument of a command reaches it as its parser gives it', async () => {
  const program = new Command();
  const seen: Args[] = [];
  const argument = new Argument('[page]').argParser((text: string) => `https://${text}/`);
  const run = async (args: Args) => {
    seen.push(args);
    return 0;
  };
  const { deps } = commandWorld(() => ({}));
  addCommand(program, { name: 'open', about: '', argument, options: [], run }, async (command, args) => {
    await command.run(args, deps);
  });
  await program.parseAsync(['open', 'site.test'], { from: 'user' });
  await program.parseAsync(['open'], { from: 'user' });
  expect(seen).toEqual([{ page: 'https://site.test/' }, { page: undefined }]);
});
