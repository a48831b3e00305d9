/** A log as a person reads it. */
import { makeVisible } from '../../../schema/domain/visible.ts';

/** `\u001b[31m` and the like: a program colors its output for a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
const TERMINAL_CODES = /\u001b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;

export function textOfLog(lines: readonly string[]): string {
  return makeVisible(lines.join('\n').replace(TERMINAL_CODES, '').replaceAll('\r\n', '\n'));
}
