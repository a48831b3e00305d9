import { describe, expect, it } from 'vitest';
import { SystemView } from '../../../../local-agent/edge/system-view.ts';

describe('the system mode as a node knows it', () => {
  it('the mode is not known to be running until the edge has reported it', () => {
    const view = new SystemView();
    expect(view.isKnownRunning).toBe(false);
    view.observe('running', 1);
    expect(view.isKnownRunning).toBe(true);
  });

  it.each(['paused', 'draining'] as const)('a system that is %s is not known to be running', (mode) => {
    const view = new SystemView();
    view.observe('running', 1);
    view.observe(mode, 2);
    expect(view.isKnownRunning).toBe(false);
  });

  it('an older mode that arrives late changes nothing', () => {
    const view = new SystemView();
    view.observe('paused', 2);
    view.observe('running', 1);
    expect(view.isKnownRunning).toBe(false);
    expect(view.seen).toEqual({ mode: 'paused', mode_version: 2, hold: null });
  });

  it('is not current from when a newer version is named until the mode of that version is known', () => {
    const view = new SystemView();
    view.observe('running', 1);
    view.noteVersion(1);
    expect(view.isCurrent).toBe(true);
    view.noteVersion(2);
    view.noteVersion(1);
    expect(view.isCurrent).toBe(false);
    view.observe('paused', 2);
    expect(view.isCurrent).toBe(true);
  });
});
