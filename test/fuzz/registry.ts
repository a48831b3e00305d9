/** Every fuzzer of host tools. */
import type { Fuzzer } from './fuzzer.ts';

export const FUZZERS: readonly Fuzzer[] = [];
