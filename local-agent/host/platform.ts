/** The operating system, for a bug report. */
import { release } from 'node:os';

export function platformFacts(): { system: NodeJS.Platform; release: string; architecture: string } {
  return { system: process.platform, release: release(), architecture: process.arch };
}
