import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { adoptOldState, moveIntoStorage } from '../../../../local-agent/stack/edge-storage.ts';
import { layoutOf } from '../../../../local-agent/stack/layout.ts';
import { tempDir } from '../../../support/temp-dir.ts';

function put(path: string, text = path): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

describe('the storage of the local edge', () => {
  it('folders of an earlier version move below v3, and secret and lock stay', () => {
    const state = tempDir();
    for (const path of ['d1/x/db.sqlite', 'do/conductor-LeaderLease/a.sqlite', 'bootstrap.token', 'edge.lock'])
      put(join(state, path), path);
    expect(moveIntoStorage(state)).toBe(join(state, 'v3'));
    expect(readFileSync(join(state, 'v3/d1/x/db.sqlite'), 'utf8')).toBe('d1/x/db.sqlite');
    expect(readFileSync(join(state, 'v3/do/conductor-LeaderLease/a.sqlite'), 'utf8')).toMatch('LeaderLease');
    expect(existsSync(join(state, 'bootstrap.token'))).toBe(true);
    expect(moveIntoStorage(state)).toBe(join(state, 'v3'));
  });

  it('a move that a crash interrupted is finished', () => {
    const state = tempDir();
    put(join(state, 'v3.moving/d1/db.sqlite'), 'first');
    put(join(state, 'do/a.sqlite'), 'second');
    moveIntoStorage(state);
    expect(readFileSync(join(state, 'v3/d1/db.sqlite'), 'utf8')).toBe('first');
    expect(readFileSync(join(state, 'v3/do/a.sqlite'), 'utf8')).toBe('second');
  });

  it('two storages in one folder are an error, and neither is touched', () => {
    const state = tempDir();
    put(join(state, 'd1/old.sqlite'));
    put(join(state, 'v3/d1/new.sqlite'));
    expect(() => moveIntoStorage(state)).toThrow(/earlier version \(d1\) beside a newer one/);
    expect([existsSync(join(state, 'd1/old.sqlite')), existsSync(join(state, 'v3/d1/new.sqlite'))]).toEqual([
      true,
      true,
    ]);
  });
});

describe('the state of an earlier version in the program’s folder', () => {
  function earlier() {
    const base = tempDir();
    const folder = join(base, 'checkout/.wrangler/state');
    put(join(folder, 'bootstrap.token'), 'secret');
    return { folder, layout: layoutOf(join(base, 'root')) };
  }

  it('the state moves below the root that used it', () => {
    const { folder, layout } = earlier();
    put(layout.operatorFile);
    expect(adoptOldState(layout, { folder, isExplicit: false })).toBe(
      `moved the state of the edge from ${folder} to ${layout.edgeState}`,
    );
    expect(readFileSync(layout.bootstrapFile, 'utf8')).toBe('secret');
    expect(existsSync(folder)).toBe(false);
  });

  it('the state stays, and is named, when the root never used it', () => {
    const { folder, layout } = earlier();
    expect(adoptOldState(layout, { folder, isExplicit: false })).toMatch(
      `${folder} holds the edge of an earlier version`,
    );
    expect(existsSync(folder)).toBe(true);
  });

  it.each(['a root of an option', 'a root with its own state'])('%s leaves the state where it is', (which) => {
    const { folder, layout } = earlier();
    put(layout.operatorFile);
    if (which === 'a root with its own state') put(layout.bootstrapFile);
    expect(adoptOldState(layout, { folder, isExplicit: which === 'a root of an option' })).toBeNull();
    expect(existsSync(folder)).toBe(true);
  });
});
