/** `uninstall`: what it removes, what it keeps, and when it refuses. */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Prompts } from '../../../../local-agent/commands/prompts.ts';
import { uninstallCommand } from '../../../../local-agent/commands/uninstall.ts';
import { knownRootsPath } from '../../../../local-agent/config/root-files.ts';
import { managerOf } from '../../../../local-agent/service/host.ts';
import { serviceScene } from '../../../support/service-scene.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const OWN = ['config.toml', 'edge', 'logs', 'policy.json', 'state', 'worktrees'];
const record = (pid: number | null) =>
  JSON.stringify({ edge_url: 'http://127.0.0.1:1', agent_url: null, node_id: 'mini', pid, began: null, version: '1' });

/** A root with everything, beside another one, on a host with a manager of services. */
function scene() {
  const service = serviceScene('linux');
  const { root, home } = service;
  vi.stubEnv('HOME', home);
  for (const name of ['state', 'edge', 'logs', 'worktrees', 'workspace']) mkdirSync(join(root, name));
  const texts = {
    'config.toml': '',
    'policy.json': '{}',
    'notes.txt': 'mine',
    'workspace/work': 'mine',
    'state/system.json': record(null),
  };
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(root, name), text);
  const other = join(home, 'other');
  mkdirSync(join(other, 'state'), { recursive: true });
  writeFileSync(join(other, 'state/shared.token'), '');
  mkdirSync(join(knownRootsPath(), '..'), { recursive: true });
  writeFileSync(knownRootsPath(), JSON.stringify({ roots: [root, other] }));
  const command = uninstallCommand(() => service.host);
  const run = (args: Record<string, string | boolean> = {}, over: object = {}) =>
    command.run({ root, ...args }, { ...service.deps, ...over });
  const roots = () => (JSON.parse(readFileSync(knownRootsPath(), 'utf8')) as { roots: string[] }).roots;
  return { ...service, service, other, run, roots, names: () => readdirSync(root).sort() };
}

const saying = (yes: boolean) => {
  const asked: string[] = [];
  const prompts = { confirm: async (question: string) => asked.push(question) > 0 && yes } as unknown as Prompts;
  return { asked, prompts };
};

describe('uninstall', () => {
  let all: ReturnType<typeof scene>;
  beforeEach(() => {
    all = scene();
  });
  afterEach(() => vi.unstubAllEnvs());

  it('it removes what the program has made, and keeps the workspace, other files and other roots', async () => {
    expect(await all.run({ yes: true })).toBe(0);
    expect(all.names()).toEqual(['notes.txt', 'workspace']);
    expect(readFileSync(join(all.root, 'workspace/work'), 'utf8')).toBe('mine');
    expect(existsSync(join(all.other, 'state'))).toBe(true);
    expect(all.roots()).toEqual([all.other]);
    for (const name of OWN) expect(all.err).toContain(`  ${name}`);
    expect(all.stderr()).toContain('This stays: notes.txt, workspace');
  });

  it('--purge removes the whole root', async () => {
    expect(await all.run({ yes: true, purge: true })).toBe(0);
    expect(existsSync(all.root)).toBe(false);
  });

  it('without a terminal it wants --yes, and a person who says no keeps everything', async () => {
    await expect(all.run()).rejects.toThrow(/no terminal to ask at. To remove it: conductor uninstall --yes --root/);
    const { asked, prompts } = saying(false);
    await expect(all.run({}, { prompts })).rejects.toMatchObject({
      name: 'RefusedError',
      message: 'nothing was removed',
    });
    expect(asked).toEqual([`Remove this from ${all.root}?`]);
    expect(all.names()).toEqual([...OWN, 'notes.txt', 'workspace'].sort());
    expect(await all.run({}, { prompts: saying(true).prompts })).toBe(0);
  });

  it('the files of a system that runs stay', async () => {
    writeFileSync(join(all.root, 'state/system.json'), record(4711));
    expect(await all.run({ yes: true }, { isAlive: () => true })).toBe(1);
    expect(all.stderr()).toContain('its system runs as process 4711');
    expect(all.names()).toContain('state');
  });

  it('the service of this root is removed first, that of another root is not', async () => {
    const { service } = all;
    expect(await service.run('install')).toBe(0);
    const file = managerOf(service.host)?.file ?? '';
    expect(await all.run({ yes: true, root: all.other })).toBe(0);
    expect(existsSync(file)).toBe(true);
    expect(await all.run({ yes: true })).toBe(0);
    expect(existsSync(file)).toBe(false);
    expect(all.names()).toEqual(['notes.txt', 'workspace']);
  });

  it('a folder of another program, which has a configuration and a state too, is refused', async () => {
    const folder = tempDir();
    mkdirSync(join(folder, 'state'));
    writeFileSync(join(folder, 'config.toml'), '');
    await expect(all.run({ yes: true, purge: true, root: folder })).rejects.toThrow(/is no root of this program/);
    expect(readdirSync(folder).sort()).toEqual(['config.toml', 'state']);
  });

  it('a folder that is no root, holds another root, or is the home folder is refused', async () => {
    const { home } = all;
    await expect(all.run({ yes: true, root: tempDir() })).rejects.toThrow(/is no root of this program/);
    mkdirSync(join(home, 'state'));
    writeFileSync(join(home, 'state/shared.token'), '');
    await expect(all.run({ yes: true, root: home })).rejects.toThrow(/is not removed: it is a home folder/);
    const link = join(tempDir(), 'link');
    symlinkSync(home, link);
    await expect(all.run({ yes: true, root: link })).rejects.toThrow(/is not removed: it is a home folder/);
    mkdirSync(join(all.root, 'state/inner/state'), { recursive: true });
    writeFileSync(knownRootsPath(), JSON.stringify({ roots: [all.root, join(all.root, 'state/inner')] }));
    await expect(all.run({ yes: true })).rejects.toThrow(/it holds .*state\/inner/);
    expect(all.names()).toContain('state');
  });

  it('a link is removed, and what it leads to stays', async () => {
    const away = tempDir();
    writeFileSync(join(away, 'mine'), 'mine');
    symlinkSync(away, join(all.root, 'runs'));
    expect(await all.run({ yes: true })).toBe(0);
    expect(readdirSync(away)).toEqual(['mine']);
    expect(existsSync(join(all.root, 'runs'))).toBe(false);
  });
});
