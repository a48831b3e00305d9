/** The scripts of `conductor completion` in real shells. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SHELL_SCRIPTS } from '../../local-agent/commands/shell-scripts.ts';
import { REPOSITORY } from '../../local-agent/stack/layout.ts';
import { tempDir } from '../support/temp-dir.ts';

/** Prints its script or what the file `offers` has, and keeps the words that it was asked about. */
const FAKE_PROGRAM = `#!/bin/sh
if [ "$1" = completion ]; then cat "$HOME/script.$2"; exit; fi
printf '%s\\n' "$@" > "$HOME/asked"
cat "$HOME/offers"
`;

/** A shell in a folder of its own, with a `conductor` on its PATH that offers these lines; null: the real program. */
function scene(offers: string[] | null) {
  const folder = tempDir();
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  if (offers === null) {
    symlinkSync(join(REPOSITORY, 'local-agent/stack/conductor.js'), join(bin, 'conductor'));
    symlinkSync(process.execPath, join(bin, 'node'));
  } else {
    writeFileSync(join(bin, 'conductor'), FAKE_PROGRAM, { mode: 0o755 });
    writeFileSync(join(folder, 'offers'), offers.map((line) => `${line}\n`).join(''));
    for (const [shell, script] of Object.entries(SHELL_SCRIPTS)) writeFileSync(join(folder, `script.${shell}`), script);
  }
  const run = (shell: string, ...args: string[]): string[] => {
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, HOME: folder, BAA_ROOT: join(folder, 'root') };
    const { status, stdout, stderr } = spawnSync(shell, args, { cwd: folder, env, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    return stdout.split('\n').filter((line) => line !== '');
  };
  const asked = () => readFileSync(join(folder, 'asked'), 'utf8').trimEnd().split('\n');
  return { folder, run, asked };
}

function isInstalled(shell: string): boolean {
  const isThere = spawnSync(shell, ['-c', ':']).status === 0;
  if (!isThere) process.stderr.write(`NOT TESTED: ${shell} is not installed, so its completion was not tried\n`);
  return isThere;
}

/** Has bash complete the last of these words; each is given as it is typed, with its quotes. */
function bash({ run }: ReturnType<typeof scene>, ...words: string[]): string[] {
  const typed = words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`);
  const script = [
    'source <(conductor completion bash)',
    `COMP_WORDS=(conductor ${typed.join(' ')}); COMP_CWORD=${words.length}`,
    `_conductor conductor ${typed.at(-1)} x`,
    `printf '%s\\n' "\${COMPREPLY[@]}"`,
  ];
  return run('bash', '--norc', '--noprofile', '-c', script.join('\n'));
}

const OFFERS = ['tasks\twork for hosts: create, look', 'tokens'];

describe.runIf(isInstalled('bash'))('completion in bash', () => {
  it('the script registers itself, also a second time', () => {
    const source = 'source <(conductor completion bash)';
    const registered = scene([]).run('bash', '--norc', '-c', `${source}; ${source}; complete -p conductor`);
    expect(registered).toEqual(['complete -F _conductor conductor']);
  });

  it('it asks with the words up to the cursor, and offers what it gets without the descriptions', () => {
    const at = scene(OFFERS);
    expect(bash(at, 'tasks', 'create', "'a b", '')).toEqual(['tasks', 'tokens']);
    expect(at.asked()).toEqual(['complete', '--', 'tasks', 'create', "'a b"]);
  });

  it('it offers files where a file is meant', () => {
    const at = scene([':files']);
    writeFileSync(join(at.folder, 'task one.json'), '{}');
    expect(bash(at, 'tasks', 'create', '--file', 'ta')).toEqual(['task one.json']);
  });

  it('it evaluates nothing of the line', () => {
    const at = scene(OFFERS);
    writeFileSync(join(at.folder, 'kept'), 'kept');
    bash(at, 'tasks', 'list', '$(touch made)', '`touch made`', '>', 'kept', '; touch made', '');
    const { folder } = at;
    expect([existsSync(join(folder, 'made')), readFileSync(join(folder, 'kept'), 'utf8')]).toEqual([false, 'kept']);
  });

  it('with the real program it completes a value of an option', () => {
    expect(bash(scene(null), 'tasks', 'list', '--status', '=', 'd')).toEqual(['done']);
  });
});

describe.runIf(isInstalled('zsh'))('completion in zsh', () => {
  // The functions of the completion system work in a line editor only, so the test has its own.
  const zsh = ({ run }: ReturnType<typeof scene>, ...words: string[]) => {
    const typed = words.map((word) => `'${word}'`).join(' ');
    const script = [
      'compdef() { print "registered $1 for $2" }',
      `_describe() { print -l -- "\${(@P)2}" }`,
      '_files() { print "and files" }',
      'source <(conductor completion zsh)',
      `words=(conductor ${typed}); CURRENT=${words.length + 1}; _conductor`,
    ];
    return run('zsh', '-fc', script.join('\n'));
  };
  const REGISTERED = 'registered _conductor for conductor';

  it('it registers itself, asks with the words up to the cursor, and offers what it gets with descriptions', () => {
    const at = scene(OFFERS);
    expect(zsh(at, 'tasks', '$(touch made)', '')).toEqual([
      REGISTERED,
      'tasks:work for hosts: create, look',
      'tokens:tokens',
    ]);
    expect(at.asked()).toEqual(['complete', '--', 'tasks', '$(touch made)']);
    expect(existsSync(join(at.folder, 'made'))).toBe(false);
  });

  it('it offers files where a file is meant', () => {
    expect(zsh(scene([':files']), 'tasks', 'create', '--file', '')).toEqual([REGISTERED, 'and files']);
  });
});

describe.runIf(isInstalled('fish'))('completion in fish', () => {
  const fish = ({ run }: ReturnType<typeof scene>, line: string) =>
    run('fish', '--no-config', '-c', `conductor completion fish | source; complete -C '${line}'`);

  it('it asks with the words up to the cursor, and offers what it gets with descriptions', () => {
    const at = scene(OFFERS);
    expect(fish(at, 'conductor tasks show t')).toEqual(OFFERS);
    expect(at.asked()).toEqual(['complete', '--', 'tasks', 'show', 't']);
  });

  it('an empty word is asked about too', () => {
    const at = scene(OFFERS);
    expect(fish(at, 'conductor ')).toEqual(OFFERS);
    expect(readFileSync(join(at.folder, 'asked'), 'utf8')).toBe('complete\n--\n\n');
  });
});
