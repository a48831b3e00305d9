// Preloaded by every npm script that runs TypeScript directly; 22.18 is the first release that does so without a flag.
// It is plain JavaScript, as it has to run on a Node that is too old for the rest.
const WANTED = [22, 18];
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < WANTED[0] || (major === WANTED[0] && minor < WANTED[1])) {
  console.error(
    `This needs Node ${WANTED.join('.')} or newer; this is ${process.versions.node}. Install a newer Node, or on Linux run "npm ci" again, which brings one into node_modules.`,
  );
  process.exit(1);
}
