import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  isRunning,
  NO_PROCESS,
  ownProcess,
  readSystemRecord,
  recordAgent,
  writeSystemRecord,
} from '../../../../local-agent/config/system-record.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const EDGE = 'http://127.0.0.1:9000';
const AGENT = 'http://127.0.0.1:9001';
/** An agent that runs as this process. */
const agent = { edge_url: EDGE, agent_url: AGENT, node_id: 'mini', ...ownProcess(), version: '1' };
/** A process that lives as long as this one. */
const OTHER = { pid: process.ppid, began: null };

describe('a damaged record', () => {
  it('is reported in one line: the file, the field, and what to do', () => {
    const root = tempDir();
    const path = join(root, 'state', 'system.json');
    mkdirSync(join(root, 'state'));
    writeFileSync(path, JSON.stringify({ ...agent, pid: 'x' }));
    expect(() => readSystemRecord(root)).toThrow(
      `${path} is damaged, so the running system is unknown: pid: a number; it is "x". Remove it and start the system again`,
    );
  });
});

describe('a record and its process', () => {
  it('the process that wrote the record runs', () => {
    expect(isRunning(agent)).toBe(true);
  });

  it('another process with the recorded id is not the system', () => {
    expect(isRunning({ ...agent, began: `${agent.began}1` })).toBe(false);
  });

  it('the record of an earlier version, without the start of its process, counts by the id alone', () => {
    const root = tempDir();
    const { began: _, ...earlier } = agent;
    mkdirSync(join(root, 'state'));
    writeFileSync(join(root, 'state', 'system.json'), JSON.stringify(earlier));
    const record = readSystemRecord(root);
    expect(record).toEqual({ ...agent, began: null });
    expect(record && isRunning(record)).toBe(true);
  });

  it('an agent takes no place in the record of a process that has ended', () => {
    const root = tempDir();
    const before = { ...agent, agent_url: null, began: `${agent.began}1` };
    writeSystemRecord(root, before);
    recordAgent(root, agent);
    expect(readSystemRecord(root)).toEqual(agent);
  });
});

describe('the record of an agent', () => {
  it('an agent on its own is recorded while it runs, and leaves its node id', () => {
    const root = tempDir();
    const forget = recordAgent(root, agent);
    expect(readSystemRecord(root)).toEqual(agent);
    expect(statSync(join(root, 'state/system.json')).mode & 0o077).toBe(0);
    forget();
    expect(readSystemRecord(root)).toEqual({ ...agent, ...NO_PROCESS });
  });

  it('an agent that npm start has recorded changes nothing', () => {
    const root = tempDir();
    const whole = { ...agent, ...OTHER };
    writeSystemRecord(root, whole);
    recordAgent(root, agent)();
    expect(readSystemRecord(root)).toEqual(whole);
  });

  it('an agent beside a running edge joins its record and leaves it again', () => {
    const root = tempDir();
    const edgeOnly = { ...agent, agent_url: null, ...OTHER };
    writeSystemRecord(root, edgeOnly);
    const forget = recordAgent(root, agent);
    expect(readSystemRecord(root)).toEqual({ ...agent, ...OTHER });
    forget();
    expect(readSystemRecord(root)).toEqual(edgeOnly);
  });
});
