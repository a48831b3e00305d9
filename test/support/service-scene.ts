/** A host with fake managers of services: programs on PATH that note how they were called and keep one service. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CliCommand } from '../../local-agent/commands/command.ts';
import { serviceCommands } from '../../local-agent/commands/service.ts';
import { serviceHost } from '../../local-agent/service/host.ts';
import type { ServiceHost } from '../../local-agent/service/manager.ts';
import type { CommandCall } from './command-deps.ts';
import { commandWorld } from './command-deps.ts';
import { tempDir } from './temp-dir.ts';

/** `$STATE` holds a file `loaded` while the service is loaded, and `calls` with one line for each call. */
const PROGRAMS: Readonly<Record<string, string>> = {
  launchctl: `case "$1" in
  print) [ -e "$STATE/loaded" ] || exit 113; printf 'gui/1 = {\\n\\tstate = running\\n\\tpid = 4242\\n}\\n' ;;
  bootstrap) [ -e "$STATE/loaded" ] && { echo 'Bootstrap failed: 5: Input/output error' >&2; exit 5; }; touch "$STATE/loaded" ;;
  bootout) rm "$STATE/loaded" ;;
esac`,
  systemctl: `case "$2" in
  show) if [ -e "$STATE/loaded" ]
    then printf 'LoadState=loaded\\nActiveState=active\\nSubState=running\\nMainPID=4242\\nUnitFileState=enabled\\n'
    else printf 'LoadState=not-found\\nActiveState=inactive\\nSubState=dead\\nMainPID=0\\nUnitFileState=\\n'
    fi ;;
  start | restart) touch "$STATE/loaded" ;;
  disable) rm -f "$STATE/loaded" ;;
esac`,
  loginctl: 'echo no',
  journalctl: 'true',
  tail: 'true',
};

export function serviceScene(platform: 'darwin' | 'linux', respond: (call: CommandCall) => unknown = () => ({})) {
  const folder = tempDir();
  const home = join(folder, 'home');
  const root = join(folder, 'root');
  const bin = join(folder, 'bin');
  for (const made of [home, root, bin]) mkdirSync(made);
  const calls = join(folder, 'calls');
  for (const [name, body] of Object.entries(PROGRAMS)) {
    const path = join(bin, name);
    writeFileSync(path, `#!/bin/sh\nPATH=/usr/bin:/bin STATE='${folder}'\necho "${name} $*" >> '${calls}'\n${body}\n`);
    chmodSync(path, 0o755);
  }
  const env = {
    PATH: bin,
    BAA_CONTROL_API_BASE: 'https://edge.example',
    BAA_NODE_ID: 'mini',
    BAA_OPERATOR_TOKEN: 'operator-secret',
  };
  const host: ServiceHost = { ...serviceHost(env), platform, home, uid: 501, user: 'ada' };
  const readFile = host.readFile;
  const world = commandWorld(respond, { env, readFile, writeFile: host.writeFile });
  const commands = new Map(serviceCommands(() => host).map((command): [string, CliCommand] => [command.name, command]));
  return {
    ...world,
    host,
    root,
    home,
    bin,
    /** Runs `service NAME` for the root. */
    run: async (name: string, args: Record<string, string | boolean> = {}, over: object = {}) => {
      const command = commands.get(name);
      if (command === undefined) throw new Error(`there is no command ${name}`);
      return command.run({ root, ...args }, { ...world.deps, ...over });
    },
    /** The calls of managers since the last look, without questions. */
    managed: () => {
      const lines = existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : [];
      writeFileSync(calls, '');
      return lines.filter((line) => line !== '' && !/ (print|show) |loginctl/.test(line));
    },
  };
}
