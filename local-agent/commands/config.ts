/** `config`: every setting, its value and where it came from. */
import { settingArgs } from '../config/flags.ts';
import type { Config, SettingKey } from '../config/settings.ts';
import { SETTING_ENTRIES, tomlKey } from '../config/settings.ts';
import { configWarnings } from '../config/warnings.ts';
import type { CommandDeps } from './deps.ts';
import { present, printTable, styled } from './output.ts';
import type { Verb } from './verb.ts';
import { configOf, EXIT, jsonArg } from './verb.ts';

function shown(config: Config, key: SettingKey, isSecret: boolean): Config[SettingKey] {
  const value = config[key];
  return isSecret && value !== null ? 'set' : value;
}

/** Tells what is legal but unwise. */
export function printWarnings(deps: CommandDeps, warnings: readonly string[]): void {
  for (const warning of warnings) deps.warn(`${styled(deps, 'yellow', 'warning')}: ${warning}`);
}

export const config: Verb = {
  name: 'config',
  about: 'the resolved configuration and where each value came from',
  args: { ...settingArgs, ...jsonArg },
  run: async (args, deps) => {
    const { config: resolved, origins } = configOf(args, deps, settingArgs);
    const rows = SETTING_ENTRIES.map(([key, of]) => {
      return {
        setting: tomlKey(of),
        env: of.env,
        value: shown(resolved, key, of.secret === true),
        origin: origins[key],
      };
    });
    const warnings = configWarnings(resolved, deps.modeOf);
    const settings = Object.fromEntries(rows.map(({ setting, value, origin }) => [setting, { value, origin }]));
    present(args, deps, { settings, warnings }, () => {
      const cells = rows.map((row) => [row.setting, row.value, row.origin, row.env]);
      printTable(deps, ['SETTING', 'VALUE', 'FROM', 'VARIABLE'], cells, '');
    });
    printWarnings(deps, warnings);
    return EXIT.fine;
  },
};
