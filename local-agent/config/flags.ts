/** The settings as arguments of a command. */
import type { ArgsDef } from 'citty';
import type { SettingKey } from './settings.ts';
import { SETTING_ENTRIES, SETTINGS } from './settings.ts';

/** What every command needs to find the edge and the agent. */
const CONNECTION: readonly SettingKey[] = ['root', 'nodeId', 'controlApiBase', 'localApi', 'stateDir'];

function argsOf(keys: readonly SettingKey[]): ArgsDef {
  return Object.fromEntries(
    keys.map((key) => {
      const of = SETTINGS[key];
      const description = `${of.about} [${of.env}]`;
      return [of.flag, 'boolean' in of ? { type: 'boolean', description } : { type: 'string', description }];
    }),
  );
}

/** Every setting. */
export const settingArgs: ArgsDef = argsOf(
  SETTING_ENTRIES.map(([key]) => key).filter((key) => key !== 'operatorToken'),
);
/** Those of a command that only talks to the system. A secret is not among them: it would be seen in `ps`. */
export const connectionArgs: ArgsDef = argsOf(CONNECTION);
