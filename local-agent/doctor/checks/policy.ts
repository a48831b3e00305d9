/** Whether policy.json is valid, and its roots hold nothing that a program of a chat must not change. */
import { policyPathOf, workspaceOf } from '../../config/root-files.ts';
import { PROGRAM_FOLDER } from '../../host/program-file.ts';
import { ownPaths } from '../../policy/own-paths.ts';
import { PolicyFile } from '../../policy/policy-file.ts';
import { rootWarnings } from '../../policy/root-warnings.ts';
import type { Check } from '../check.ts';
import { found, outcomeOf } from '../check.ts';
import type { World } from '../world.ts';

export const policy: Check<World> = {
  id: 'policy',
  group: 'files',
  title: 'Policy',
  look: ({ machine, config, sources: { root } }) => {
    const path = policyPathOf({ root });
    const file = new PolicyFile({ path, onProblem: () => undefined });
    const problem = file.problem();
    if (problem !== null) {
      return found({
        code: 'policy_invalid',
        severity: 'error',
        what: problem,
        why: 'a running agent keeps the last valid rules, and an agent that starts now runs no tool',
        advice: `correct the file; docs/policy.md explains it, and docs/policy.schema.json lets an editor check it`,
        command: null,
      });
    }
    const roots = file.current()?.roots ?? [workspaceOf(root)];
    const states = ownPaths(config).filter((one) => one !== PROGRAM_FOLDER);
    const warnings = rootWarnings(roots, { home: machine.home, program: PROGRAM_FOLDER, states });
    const findings = warnings.map((what) => ({
      code: 'policy_root_wide' as const,
      severity: 'warning' as const,
      what,
      why: 'what a chat may run there can change your files, this program or its state',
      advice: `name narrower folders in "roots" of ${path}`,
      command: null,
    }));
    const source = machine.readFile(path) === null ? `${path} is not there; the defaults allow` : `${path} allows`;
    return outcomeOf(findings, `${source} ${roots.join(', ')}`);
  },
};
