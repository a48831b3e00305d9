// Which Node runs the TypeScript of this program directly. Plain JavaScript, as it has to run on a Node that is too old
// for the rest.

/** The first release of each line that runs TypeScript without a flag. Lines between them never did. */
const FIRST = [
  [22, 18],
  [23, 6],
];

/** @param {string} version such as `22.18.0` */
export function runsTypeScript(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const first = FIRST.find(([line]) => line === major);
  return first ? minor >= first[1] : major > FIRST[FIRST.length - 1][0];
}

/** @param {string} version */
export function tooOld(version) {
  return `This needs Node ${FIRST[0].join('.')} or newer; this is ${version}. Install a newer Node, or on Linux run "npm ci" again, which brings one into node_modules.`;
}
