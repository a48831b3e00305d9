/** The unit of systemd's user manager (Linux), with the same meaning as the property list. Keys as in `man systemd.service`. */
import { join } from 'node:path';
import type { InstalledService, ServicePlan } from './plan.ts';
import { SERVICE_LABEL } from './plan.ts';

export const UNIT = `${SERVICE_LABEL.slice(SERVICE_LABEL.lastIndexOf('.') + 1)}.service`;

export const systemdPath = (home: string, configHome: string | undefined): string =>
  join(configHome || join(home, '.config'), 'systemd', 'user', UNIT);

const ABOUT: Readonly<Record<ServicePlan['kind'], string>> = {
  system: 'The conductor: edge, clock and agent of this machine',
  agent: 'The conductor: agent of this machine',
};

/** `%` begins a specifier of systemd everywhere. */
const plain = (text: string): string => text.replaceAll('%', '%%');
const quoted = (text: string): string => `"${plain(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
/** In a command line `$` also begins a variable. */
const argument = (text: string): string => quoted(text).replaceAll('$', '$$$$');

export function systemdFile({ kind, argv, environment, root }: ServicePlan): string {
  return [
    '[Unit]',
    `Description=${ABOUT[kind]}`,
    // It is started again for as long as it ends, however often.
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    'Type=exec',
    `ExecStart=${argv.map(argument).join(' ')}`,
    `WorkingDirectory=${plain(root)}`,
    ...Object.entries(environment).map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}`),
    'Restart=always',
    'RestartSec=10',
    '# Runners of tasks survive the agent.',
    'KillMode=process',
    'TimeoutStopSec=30',
    'UMask=0077',
    '',
    '[Install]',
    'WantedBy=default.target',
    '',
  ].join('\n');
}

const WORD = /"((?:[^"\\]|\\.)*)"/g;

function words(line: string): string[] {
  return [...line.matchAll(WORD)].map(([, text = '']) => text.replace(/\\(.)/g, '$1').replaceAll('%%', '%'));
}

/** Null when the text is no unit of this service. It reads what `systemdFile` writes. */
export function readSystemdFile(text: string): InstalledService | null {
  const valuesOf = (key: string): string[] =>
    text.split('\n').flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []));
  const [start] = valuesOf('ExecStart');
  const argv = start === undefined ? [] : words(start).map((word) => word.replaceAll('$$', '$'));
  if (argv.length === 0) return null;
  const environment = valuesOf('Environment')
    .flatMap(words)
    .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)] as const);
  return { argv, environment: Object.fromEntries(environment) };
}
