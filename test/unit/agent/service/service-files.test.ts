import { parse } from 'plist';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { launchdFile, readLaunchdFile } from '../../../../local-agent/service/launchd-file.ts';
import type { ServicePlan } from '../../../../local-agent/service/plan.ts';
import { readSystemdFile, systemdFile } from '../../../../local-agent/service/systemd-file.ts';

/** The keys of `man launchd.plist` that a service of this program may use, with the type of each. */
const LaunchdKeys = z.strictObject({
  Label: z.literal('so.makefile.baa-conductor'),
  ProgramArguments: z.array(z.string().min(1)).min(3),
  EnvironmentVariables: z.record(z.string().regex(/^[A-Z_]+$/), z.string()),
  WorkingDirectory: z.string().startsWith('/'),
  RunAtLoad: z.literal(true),
  KeepAlive: z.literal(true),
  AbandonProcessGroup: z.literal(true),
  ThrottleInterval: z.int().min(1).max(60),
  ExitTimeOut: z.int().min(20),
  ProcessType: z.enum(['Background', 'Standard', 'Adaptive', 'Interactive']),
  Umask: z.literal(0o077),
  StandardOutPath: z.string().startsWith('/'),
  StandardErrorPath: z.string().startsWith('/'),
});

const NASTY = `/srv/a b & <c> "d" 'e' \\f %h $HOME $$ ü 你/]]>`;
const plan = (root: string): ServicePlan => ({
  kind: 'agent',
  why: '',
  root,
  argv: ['/usr/bin/node', '/opt/launch.js', 'agent', '--root', root],
  environment: { PATH: `${root}:/usr/bin`, BAA_CONDUCTOR_LOCAL_API: '' },
  logsDir: `${root}/logs`,
});

describe('the property list of a service', () => {
  it('has the keys of launchd with their types, and no other', () => {
    const keys = LaunchdKeys.parse(parse(launchdFile(plan('/srv/baa'))));
    expect(keys.StandardOutPath).toBe('/srv/baa/logs/service.log');
    expect(keys.StandardErrorPath).toBe('/srv/baa/logs/service.log');
    expect(keys.EnvironmentVariables.BAA_SERVICE_LOG).toBe('/srv/baa/logs/service.log');
    expect(keys.WorkingDirectory).toBe('/srv/baa');
  });

  it('gives back exactly the arguments and variables that were written', () => {
    const { argv, environment } = plan(NASTY);
    expect(readLaunchdFile(launchdFile(plan(NASTY)))).toEqual({ argv, environment });
  });

  it.each(['', 'hello', '<plist version="1.0"><dict><key>Label</key><string>x</string></dict></plist>'])(
    'is not read from %j',
    (text) => {
      expect(readLaunchdFile(text)).toBeNull();
    },
  );
});

describe('the unit of a service', () => {
  it('gives back exactly the arguments and variables that were written', () => {
    const { argv, environment } = plan(NASTY);
    expect(readSystemdFile(systemdFile(plan(NASTY)))).toEqual({ argv, environment });
  });

  it('restarts after every end and any number of times, and leaves runners alone', () => {
    const lines = systemdFile(plan('/srv/baa')).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'Restart=always',
        'StartLimitIntervalSec=0',
        'KillMode=process',
        'WantedBy=default.target',
      ]),
    );
  });

  it.each(['', '[Service]\nRestart=always\n'])('is not read from %j', (text) => {
    expect(readSystemdFile(text)).toBeNull();
  });
});
