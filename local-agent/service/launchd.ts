/** The service under launchd, as an agent of the person who is logged in (`gui/UID`). */
import { launchdFile, launchdLog, launchdPath, readLaunchdFile } from './launchd-file.ts';
import type { Loaded, ServiceHost, ServiceManager } from './manager.ts';
import { demand, ServiceError } from './manager.ts';
import { SERVICE_LABEL } from './plan.ts';

const LOOK_MS = 500;
/** A service gets 30 s to stop; until it is gone, launchd loads no other of the same label. */
const GONE_LOOKS = 80;
const REMEDY =
  'Agents of launchd belong to a person who is logged in at the screen: log in there once, and run this again in a terminal of that login';

export function launchd(host: ServiceHost): ServiceManager {
  const domain = `gui/${host.uid}`;
  const target = `${domain}/${SERVICE_LABEL}`;
  const file = launchdPath(host.home);
  const launchctl = (...args: string[]) => demand(host, ['launchctl', ...args], REMEDY);

  const look = async (): Promise<Loaded> => {
    const end = await host.run(['launchctl', 'print', target]);
    if (end === null) throw new ServiceError(`launchctl is not installed on this machine. ${REMEDY}`);
    if (end.code !== 0) return { loaded: false, running: false, fails: false, pid: null, word: 'not loaded' };
    const pid = /^\s*pid = (\d+)$/m.exec(end.stdout)?.[1];
    const word = /^\s*state = (.+)$/m.exec(end.stdout)?.[1] ?? 'unknown';
    return {
      loaded: true,
      running: pid !== undefined,
      fails: pid === undefined,
      pid: pid === undefined ? null : Number(pid),
      word,
    };
  };
  const unload = async (): Promise<void> => {
    if (!(await look()).loaded) return;
    await launchctl('bootout', target);
    for (let looks = 0; looks < GONE_LOOKS && (await look()).loaded; looks += 1) await host.pause(LOOK_MS);
  };
  const load = async (): Promise<void> => {
    await launchctl('enable', target);
    await launchctl('bootstrap', domain, file);
  };
  return {
    name: 'launchd',
    file,
    render: launchdFile,
    read: readLaunchdFile,
    look,
    apply: async () => {
      await unload();
      await load();
    },
    start: async () => {
      const { loaded, running } = await look();
      if (!loaded) await load();
      else if (!running) await launchctl('kickstart', target);
    },
    restart: async () => {
      if ((await look()).loaded) await launchctl('kickstart', '-k', target);
      else await load();
    },
    stop: async () => {
      await launchctl('disable', target);
      await unload();
    },
    remove: async () => {
      await unload();
      host.removeFile(file);
      // A label that stays disabled would refuse the next installation.
      await launchctl('enable', target);
    },
    logCommand: ({ follow, lines }, { logsDir }) => [
      'tail',
      '-n',
      String(lines),
      ...(follow ? ['-F'] : []),
      launchdLog(logsDir),
    ],
    advice: async () => [],
  };
}
