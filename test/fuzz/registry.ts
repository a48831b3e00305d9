/** Every fuzzer of host tools. */
import type { Fuzzer } from './fuzzer.ts';
import { LISTED_FILES } from './listed-files.ts';
import { patchedAsByGit } from './patched-files.ts';

export const FUZZERS: readonly Fuzzer[] = [...LISTED_FILES, patchedAsByGit];
