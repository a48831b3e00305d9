/** Where a value of the configuration is from, as a person finds it again. */
import type { Origin } from './resolve.ts';
import type { SettingKey } from './settings.ts';
import { flagOf, SETTINGS, tomlKey } from './settings.ts';

export function placeOf(key: SettingKey, origin: Origin): string {
  const setting: { env: string; file?: string } = SETTINGS[key];
  const places: Record<Origin, string> = {
    flag: `--${flagOf(key)}`,
    environment: setting.env,
    'config.toml': `${tomlKey(key)} in config.toml`,
    'system.json': 'its state/system.json',
    'roots.json': 'the only system that runs here',
    file: `the file ${setting.file} of its state folder`,
    default: 'the default',
  };
  return places[origin];
}
