/** The commands of this program in lines that a person copies into a shell. */

/** The scripts of package.json by which a person runs this program without `npm link`. */
const NPM_SCRIPTS: readonly (string | undefined)[] = ['conductor', 'start'];
const PLAIN_WORD = /^[\w@%+=:,./~-]+$/;

/** One word of a shell line. */
export function shellWord(text: string): string {
  return PLAIN_WORD.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** The name by which a person runs this program: through npm, or `conductor` after `npm link`. */
export function programName(env: Readonly<Record<string, string | undefined>>): string {
  return NPM_SCRIPTS.includes(env.npm_lifecycle_event) ? 'npm run conductor --' : 'conductor';
}

/** A line of npm or git for the program's folder: where npm runs this program, a person is there. */
export function lineInProgram(env: Readonly<Record<string, string | undefined>>, folder: string, line: string): string {
  return NPM_SCRIPTS.includes(env.npm_lifecycle_event) ? line : `cd ${shellWord(folder)} && ${line}`;
}

/** The line that runs `command`, in the root that the caller has named. */
export function printedCommand(
  env: Readonly<Record<string, string | undefined>>,
  command: string,
  root?: string,
): string {
  return `${programName(env)} ${command}${root === undefined ? '' : ` --root ${shellWord(root)}`}`;
}
