/** Every fuzzer of host tools. */
import type { Fuzzer } from './fuzzer.ts';
import { patchedAsByGit } from './patched-files.ts';

export const FUZZERS: readonly Fuzzer[] = [patchedAsByGit];
