import { describe, expect, it } from 'vitest';
import { describeFailure } from '../../../../local-agent/commands/exit-codes.ts';
import { EdgeError } from '../../../../local-agent/edge/http-client.ts';

const ofSystem = (code: string) => Object.assign(new Error(`${code}: refused, open '/srv/state/a'`), { code });

describe('a failure of a command', () => {
  it.each(['internal', 'database_unavailable'])('%s of the edge names doctor, which looks for the cause', (code) => {
    expect(describeFailure(new EdgeError('status', 500, code, 'it failed'))).toBe(
      `${code}: it failed. "conductor doctor" looks for the cause`,
    );
  });

  it('that the request caused has the words of the edge alone', () => {
    expect(describeFailure(new EdgeError('status', 404, 'not_found', 'there is no task x'))).toBe(
      'not_found: there is no task x',
    );
  });

  it.each(['EACCES', 'EROFS'])('%s of a file names the missing right and doctor', (code) => {
    expect(describeFailure(ofSystem(code))).toBe(
      `${code}: refused, open '/srv/state/a': this user has no right to do that there; "conductor doctor" looks at the rights of the root`,
    );
  });

  it('ENOSPC of a file says to free space', () => {
    expect(describeFailure(ofSystem('ENOSPC'))).toContain('free space on the disk of the state folder');
  });
});
