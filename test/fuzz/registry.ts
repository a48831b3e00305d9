/** Every fuzzer of host tools. */
import type { Fuzzer } from './fuzzer.ts';
import { listedByGit, listedByRipgrep } from './listed-files.ts';

export const FUZZERS: readonly Fuzzer[] = [listedByGit, listedByRipgrep];
