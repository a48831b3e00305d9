/** The program `conductor` as `npm link` installs it: a symbolic link that any Node may start. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { builtFile } from '../../local-agent/stack/built.js';
import { REPOSITORY } from '../../local-agent/stack/layout.ts';
import { tempDir } from '../support/temp-dir.ts';

const packageJson = z
  .object({ version: z.string(), bin: z.object({ conductor: z.string() }) })
  .parse(JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')));

/** Makes the process believe that it is another version; the Node that it starts is not changed. */
function pretending(version: string): string[] {
  const code = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`;
  return ['--import', `data:text/javascript,${encodeURIComponent(code)}`];
}

function run(program: string, nodeArgs: string[], ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...nodeArgs, program, ...args], { encoding: 'utf8' });
  return { status, stdout: stdout.trim(), stderr: stderr.trim() };
}

function linked(): string {
  const link = join(tempDir(), 'conductor');
  symlinkSync(join(REPOSITORY, packageJson.bin.conductor), link);
  return link;
}

/** The program's plain JavaScript in a folder into which `npm ci` has brought no Node. */
function withoutOwnNode(): string {
  const folder = tempDir();
  mkdirSync(join(folder, 'local-agent/stack'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
  for (const name of ['conductor.js', 'built.js', 'node-version.js', 'require-node.js'])
    cpSync(join(REPOSITORY, 'local-agent/stack', name), join(folder, 'local-agent/stack', name));
  return join(folder, 'local-agent/stack/conductor.js');
}

describe('the built programs', () => {
  const source = (name: string) => readFileSync(builtFile(name), 'utf8');

  it.each(['cli', 'agent', 'main', 'edge'])(
    '%s is in ASCII, as one other character makes V8 keep its source in twice the bytes',
    (name) => {
      expect(/[^\0-\x7f]/.exec(source(name))).toBeNull();
    },
  );

  it('the edge requires the local runtime, as Node keeps the source of one that is imported twice', () => {
    expect(source('edge')).toMatch(/require\("miniflare"\)/);
    expect(source('edge')).not.toMatch(/from ?"miniflare"/);
  });
});

describe('the program conductor', () => {
  it('a linked program prints its version', () => {
    expect(run(linked(), [], '--version')).toEqual({ status: 0, stdout: packageJson.version, stderr: '' });
  });

  it.each(['20.20.2', '22.17.1', '23.5.0'])('on Node %s it names the version that it needs', (version) => {
    const { status, stderr } = run(withoutOwnNode(), pretending(version), '--version');
    expect(status).toBe(1);
    expect(stderr).toMatch(`This needs Node 22.18 or newer; this is ${version}.`);
    expect(stderr.split('\n')).toHaveLength(1);
  });

  it.runIf(process.platform === 'linux')('on an old Node it runs with the one that npm ci has brought', () => {
    const old = pretending('20.20.2');
    expect(run(linked(), old, '--version')).toMatchObject({ status: 0, stdout: packageJson.version });
    const failing = run(linked(), old, 'tokens', 'frobnicate');
    expect(failing.status).toBe(2);
    expect(failing.stderr).toMatch(/unknown command 'frobnicate'/);
  });
});
