/** Whether other users of this machine can read secrets, or write what decides what chats may do. */
import { join } from 'node:path';
import {
  AGENT_DATABASE,
  BOOTSTRAP_FILE,
  bootstrapPathOf,
  configPathOf,
  deployFolderOf,
  edgeStateOf,
  NODE_TOKEN_FILE,
  OPERATOR_TOKEN_FILE,
  policyPathOf,
} from '../../config/root-files.ts';
import { contains } from '../../host/roots.ts';
import { shellWord } from '../../lib/printed-command.ts';
import type { Check, Finding } from '../check.ts';
import { outcomeOf } from '../check.ts';
import type { FindingCode } from '../finding-codes.ts';
import type { World } from '../world.ts';

const OTHERS = 0o007;
const GROUP_AND_OTHERS = 0o077;
const WRITE_BY_OTHERS = 0o022;

interface Rule {
  code: FindingCode;
  paths: readonly string[];
  /** Rights that only the owner may have. */
  forbidden: number;
  mend: 0o600 | 0o700;
  severity: 'error' | 'warning';
  what: string;
  why: string;
}

function rulesOf({ config, sources: { root } }: World): Rule[] {
  const { stateDir, logsDir, runsDir, worktreesDir, tmpDir } = config;
  const secrets = [OPERATOR_TOKEN_FILE, NODE_TOKEN_FILE, AGENT_DATABASE].map((name) => join(stateDir, name));
  return [
    {
      paths: [...secrets, bootstrapPathOf(root), join(deployFolderOf(root), BOOTSTRAP_FILE)],
      code: 'secret_readable',
      forbidden: GROUP_AND_OTHERS,
      mend: 0o600,
      severity: 'error',
      what: 'can be read by other users',
      why: 'they can act as you, or read what was said in your chats',
    },
    {
      paths: [policyPathOf({ root }), configPathOf(root)],
      code: 'rules_writable',
      forbidden: WRITE_BY_OTHERS,
      mend: 0o600,
      severity: 'error',
      what: 'can be written by other users',
      why: 'they then decide what chats may do on this machine',
    },
    {
      paths: [...new Set([root, edgeStateOf(root), stateDir, logsDir, runsDir, worktreesDir, tmpDir])],
      code: 'folder_open',
      forbidden: OTHERS,
      mend: 0o700,
      severity: 'warning',
      what: 'is open to other users',
      why: 'they can read what is below it',
    },
  ];
}

export const rights: Check<World> = {
  id: 'rights',
  group: 'files',
  title: 'Rights',
  look: (world) => {
    const { machine } = world;
    const findings = rulesOf(world).flatMap(({ code, paths, forbidden, mend, severity, what, why }) =>
      paths.flatMap((path): Finding[] => {
        const mode = machine.modeOf(path);
        if (mode === null || (mode & forbidden) === 0) return [];
        return [
          {
            code,
            severity,
            what: `${path} ${what} (mode ${mode.toString(8)})`,
            why,
            advice: 'take these rights away',
            command: `chmod ${mend.toString(8)} ${shellWord(path)}`,
            // Another folder may belong to other programs too.
            ...(contains(world.sources.root, path) && { fix: () => machine.setMode(path, mend) }),
          },
        ];
      }),
    );
    return outcomeOf(findings, 'secrets, policy and folders belong to this user alone');
  },
};
