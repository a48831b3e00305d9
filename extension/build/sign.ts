/**
 * `npm run extension:sign`: builds the extension and has addons.mozilla.org sign it for self-distribution, with the user's
 * own credentials. web-ext reads them from the environment, so no list of processes shows them.
 */
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { missingCredentials } from './credentials.ts';

const REPOSITORY = resolve(import.meta.dirname, '..', '..');
const BUILT = join(REPOSITORY, 'dist', 'extension', 'mv2');
const SIGNED = join(REPOSITORY, 'dist', 'extension', 'signed');
const WEB_EXT = join(REPOSITORY, 'node_modules', 'web-ext', 'bin', 'web-ext.js');

function run(...args: string[]): number {
  return spawnSync(process.execPath, args, { cwd: REPOSITORY, stdio: 'inherit' }).status ?? 1;
}

function sign(): number {
  const missing = missingCredentials(process.env);
  if (missing !== null) {
    process.stderr.write(`extension:sign: ${missing}\n`);
    return 2;
  }
  const built = run(join(import.meta.dirname, 'main.ts'));
  if (built !== 0) return built;
  const places = ['--source-dir', BUILT, '--artifacts-dir', SIGNED];
  const signed = run(WEB_EXT, 'sign', '--no-config-discovery', '--channel', 'unlisted', ...places);
  if (signed === 0) {
    process.stdout.write(
      `The signed archive is in ${SIGNED}. Open it in Firefox to install it; docs/firefox.md has more.\n`,
    );
  } else {
    process.stderr.write(
      'extension:sign: addons.mozilla.org did not sign it; its reason is above. It signs each version once: raise "version" in package.json to sign again.\n',
    );
  }
  return signed;
}

process.exitCode = sign();
