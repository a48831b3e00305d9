/** `config`: every setting, its value and the source of the value. */
import { settingOptions } from '../config/flags.ts';
import type { Config, SettingKey } from '../config/settings.ts';
import { SETTING_ENTRIES, tomlKey } from '../config/settings.ts';
import { configWarnings } from '../config/warnings.ts';
import type { CliCommand } from './command.ts';
import { configOf, jsonOption } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { EXIT } from './exit-codes.ts';
import { present, printTable, styled } from './output.ts';

/** The value, or `set` in place of a secret. */
function displayValue(config: Config, key: SettingKey, isSecret: boolean): Config[SettingKey] {
  const value = config[key];
  return isSecret && value !== null ? 'set' : value;
}

export function printWarnings(deps: CommandDeps, warnings: readonly string[]): void {
  for (const warning of warnings) deps.warn(`${styled(deps, 'yellow', 'warning')}: ${warning}`);
}

export const config: CliCommand = {
  name: 'config',
  about: 'show every setting, its value and the source of the value',
  examples: ['config', 'config --root /srv/baa --json'],
  options: [jsonOption, ...settingOptions],
  run: async (args, deps) => {
    const { config: resolved, origins } = configOf(args, deps, settingOptions);
    const rows = SETTING_ENTRIES.map(([key, { env, secret }]) => ({
      setting: tomlKey(key),
      env,
      value: displayValue(resolved, key, secret === true),
      origin: origins[key],
    }));
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
