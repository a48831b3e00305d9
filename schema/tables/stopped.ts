/** For `WHERE ${HAS_STOP}`, as the index has it: a browser that is stopped on a platform, found without reading the others. */
export const HAS_STOP = `instr(platforms, '"stopped_reason":"') > 0`;
