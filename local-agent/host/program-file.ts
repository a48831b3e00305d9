/**
 * Where a further program of this one is, such as the runner: beside this file as built JavaScript, which has all programs in
 * one folder, or in its source folder.
 */
import { basename, extname, join, resolve } from 'node:path';

/** The folder of this program: it, its dependencies and its local settings. `dist/conductor` is as deep as this folder. */
export const PROGRAM_FOLDER: string = resolve(import.meta.dirname, '../..');

/** Whether this is the built program. */
export const IS_BUILT: boolean = extname(import.meta.filename) === '.js';

/** The file of a program that is `local-agent/<name>.ts` as source. */
export function programFile(name: string): string {
  if (IS_BUILT) return join(import.meta.dirname, `${basename(name)}.js`);
  return join(PROGRAM_FOLDER, 'local-agent', `${name}.ts`);
}
