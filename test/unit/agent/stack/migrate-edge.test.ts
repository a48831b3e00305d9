import { describe, expect, it } from 'vitest';
import { missingMigrations, NewerDatabase } from '../../../../local-agent/stack/migrate-edge.ts';

const FILES = ['0000_init.sql', '0001_more.sql', '0002_most.sql'];

describe('the database of a root', () => {
  it('gets the migrations that it lacks, in order', () => {
    expect(missingMigrations([], FILES)).toEqual(FILES);
    expect(missingMigrations(['0000_init.sql'], FILES)).toEqual(['0001_more.sql', '0002_most.sql']);
  });

  it('of a newer version is refused, with the migrations that this version does not know', () => {
    const newer = [...FILES, '0003_new.sql'];
    expect(() => missingMigrations(newer, FILES)).toThrow(NewerDatabase);
    expect(() => missingMigrations(newer, FILES)).toThrow(/newer version \(it has 0003_new\.sql\); upgrade/);
  });
});
