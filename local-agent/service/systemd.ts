/** The service under systemd's user manager. */
import type { Loaded, ServiceHost, ServiceManager } from './manager.ts';
import { demand } from './manager.ts';
import { readSystemdFile, systemdFile, systemdPath, UNIT } from './systemd-file.ts';

const REMEDY =
  'The user manager of systemd runs for a person who is logged in: log in as that person (not with su or sudo), and look with "systemctl --user status". Without one, as in many containers, start this program in another way, with "npm start"';

export function systemd(host: ServiceHost): ServiceManager {
  const file = systemdPath(host.home, host.env.XDG_CONFIG_HOME);
  const systemctl = (...args: string[]) => demand(host, ['systemctl', '--user', ...args], REMEDY);

  const look = async (): Promise<Loaded> => {
    const text = await systemctl('show', UNIT, '--property=LoadState,ActiveState,SubState,MainPID,UnitFileState');
    const values = new Map(text.split('\n').map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1)]));
    const active = values.get('ActiveState') ?? 'unknown';
    const pid = Number(values.get('MainPID') ?? 0);
    return {
      loaded: values.get('LoadState') === 'loaded' && values.get('UnitFileState') === 'enabled',
      running: active === 'active',
      fails: active === 'activating' && values.get('SubState')?.startsWith('auto-restart') === true,
      pid: pid > 0 ? pid : null,
      word: `${active} (${values.get('SubState') ?? 'unknown'})`,
    };
  };
  return {
    name: 'systemd',
    file,
    render: systemdFile,
    read: readSystemdFile,
    look,
    apply: async () => {
      await systemctl('daemon-reload');
      await systemctl('enable', UNIT);
      await systemctl('restart', UNIT);
    },
    start: async () => {
      await systemctl('enable', UNIT);
      await systemctl('start', UNIT);
    },
    restart: async () => void (await systemctl('restart', UNIT)),
    stop: async () => void (await systemctl('disable', '--now', UNIT)),
    remove: async () => {
      await systemctl('disable', '--now', UNIT);
      host.removeFile(file);
      await systemctl('daemon-reload');
    },
    logCommand: ({ follow, lines }) => [
      'journalctl',
      '--user',
      `--unit=${UNIT}`,
      `--lines=${lines}`,
      ...(follow ? ['--follow'] : ['--no-pager']),
    ],
    advice: async () => {
      const end = await host.run(['loginctl', 'show-user', host.user, '--property=Linger', '--value']);
      if (end === null || end.code !== 0 || end.stdout.trim() === 'yes') return [];
      return [
        `it runs while ${host.user} is logged in; to start it with the machine and keep it after the logout: loginctl enable-linger ${host.user}`,
      ];
    },
  };
}
