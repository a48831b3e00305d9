/** The settings as options of the command line. */
import { InvalidArgumentError, Option } from 'commander';
import { EDGE_SETTINGS } from '../../schema/contracts/edge-settings.ts';
import type { SettingKey } from './settings.ts';
import { flagOf, SETTING_ENTRIES, SETTINGS } from './settings.ts';

const CONNECTION: readonly SettingKey[] = ['root', 'nodeId', 'controlApiBase', 'localApi', 'stateDir'];

/** An option with a value. In `--reason --json` the value of `--reason` is missing, so `--json` is refused as a value. */
export function valueOption(flags: string, about: string): Option {
  return new Option(flags, about).argParser((value: string) => {
    if (/^--?[a-z]/i.test(value)) throw new InvalidArgumentError('It is an option; the value is missing.');
    return value;
  });
}

/** An option whose value is a whole number in a range. */
export function numberOption(
  flags: string,
  about: string,
  { min = 0, max = Number.MAX_SAFE_INTEGER }: { min?: number; max?: number } = {},
): Option {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  return new Option(flags, about).argParser((value: string) => {
    const fits = /^(?:0|[1-9]\d{0,15})$/.test(value) && Number(value) >= min && Number(value) <= max;
    if (!fits) throw new InvalidArgumentError(`It is not a whole number ${range}.`);
    return value;
  });
}

/** An option whose value is one of a few. */
export function choiceOption(flags: string, about: string, choices: readonly string[]): Option {
  return new Option(flags, about).choices(choices);
}

/** The attribute of each option is the key of its setting. */
export function optionsOf(keys: readonly SettingKey[]): Option[] {
  return keys.flatMap((key) => {
    const { env, about, ...setting } = SETTINGS[key];
    const flag = flagOf(key);
    const description = `${about} [${env}]`;
    const options =
      'boolean' in setting
        ? [new Option(`--${flag}`, description), new Option(`--no-${flag}`, `turn --${flag} off`)]
        : [valueOption(`--${flag} <value>`, description)];
    return options.map((option) => option.helpGroup('Settings:'));
  });
}

const isOfEdge = (key: SettingKey): boolean => key in EDGE_SETTINGS;
const keys = SETTING_ENTRIES.map(([key]) => key).filter((key) => key !== 'operatorToken');

/** Every setting of a host. */
export const settingOptions: readonly Option[] = optionsOf(keys);
/** Every setting that the agent uses. */
export const agentOptions: readonly Option[] = optionsOf(keys.filter((key) => !isOfEdge(key)));
/** Settings of the edge that `npm start` runs. */
export const edgeSettingOptions: readonly Option[] = optionsOf(keys.filter(isOfEdge));
/** Settings of a command that only talks to the system; no secrets, which `ps` would show. */
export const connectionOptions: readonly Option[] = optionsOf(CONNECTION);
