import { describe, expect, it } from 'vitest';
import { machineName } from '../../../../local-agent/host/own-files.ts';
import { ControllerIdSchema } from '../../../../schema/contracts/common.ts';

describe('the name of the machine', () => {
  it.each([
    ['mini', 'mini'],
    ['Adas-MacBook-Pro.local', 'Adas-MacBook-Pro'],
    ['build_1.example.com', 'build_1'],
    ['_ada’s mac_', 'ada-s-mac_'],
    ['计算机', 'localhost'],
    ['', 'localhost'],
  ])('%j becomes %j, which is valid in a node id', (name, expected) => {
    expect(machineName(name)).toBe(expected);
    expect(ControllerIdSchema.safeParse(`${machineName(name)}-standby`).success).toBe(true);
  });
});
