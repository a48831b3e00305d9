/** Warnings about the roots of a policy. What they name is protected from the tools, but not from allowed programs. */
import { dirname, resolve } from 'node:path';
import { contains, expandHome } from '../host/roots.ts';

export interface Surroundings {
  home: string;
  program: string;
  /** State, configuration and policy of every root of this machine. */
  states: readonly string[];
}

export function rootWarnings(roots: readonly string[], { home, program, states }: Surroundings): string[] {
  return roots.flatMap((given) => {
    const root = resolve(expandHome(given));
    if (contains(program, root)) {
      return [
        `policy root ${given} lies in the program's folder ${program}, which no tool may touch: choose another folder`,
      ];
    }
    const state = states.find((path) => contains(root, path));
    const held = [
      ...(contains(root, home) ? ['the home folder'] : []),
      ...(contains(root, program) ? [`the program (${program})`] : []),
      ...(state === undefined ? [] : [`the state of the conductor (${dirname(state)})`]),
    ];
    if (held.length === 0) return [];
    return [
      `policy root ${given} holds ${held.join(' and ')}: file tools refuse those files, but a program that the policy allows may change them; name narrower roots`,
    ];
  });
}
