import { describe, expect, it } from 'vitest';
import { Deliveries } from '../../../../local-agent/delivery/deliveries.ts';
import { DELIVERY } from '../../../../schema/defaults.ts';
import { openTestStore } from '../../../support/agent-store.ts';
import { renewal, reply } from '../../../support/delivery-builders.ts';
import { TestClock } from '../../../support/test-clock.ts';
import { DeliveryFixture } from './fixture.ts';

describe('a long queue', () => {
  it('every query of a run is answered from an index and sorts nothing', () => {
    const store = openTestStore(new TestClock());
    const prepared: string[] = [];
    const { db } = store;
    const recording = new Proxy(db, {
      get: (target, name) => {
        if (name !== 'prepare') return Reflect.get(target, name);
        return (sql: string) => {
          prepared.push(sql);
          return target.prepare(sql);
        };
      },
    });
    const deliveries = new Deliveries(recording);
    expect(deliveries.queuedSlots()).toEqual([]);
    const ofARun = prepared.filter(
      (sql) => /^SELECT/.test(sql) && /'queued'/.test(sql) && !/DISTINCT|GROUP BY/.test(sql),
    );
    expect(ofARun.length).toBeGreaterThanOrEqual(5);
    for (const sql of ofARun) {
      const plan = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all();
      const steps = plan.map(({ detail }) => String(detail)).filter((detail) => /deliveries/.test(detail));
      expect(steps.length).toBeGreaterThan(0);
      for (const step of steps) expect(step).toMatch(/^SEARCH deliveries USING (COVERING )?INDEX deliveries_/);
      expect(plan.map(({ detail }) => detail)).not.toContain('USE TEMP B-TREE FOR ORDER BY');
    }
  });

  it('ten thousand replies leave one by one at their pace, the oldest first', () => {
    const agent = new DeliveryFixture();
    const ids = Array.from({ length: 10_000 }, (_, n) => `msg_${String(n).padStart(5, '0')}`);
    agent.enqueue(...ids.map((id) => reply(id, `c-${id}`)));
    const took = performance.now();
    for (let n = 0; n < 20; n += 1) {
      agent.respond();
      agent.clock.advance(DELIVERY.min_spacing_ms + DELIVERY.spacing_jitter_ms);
    }
    process.stdout.write(`20 deliveries out of 10,000 queued took ${Math.round(performance.now() - took)} ms\n`);
    expect(agent.sent.slice(0, 20).map(({ plan_id }) => plan_id)).toEqual(
      ids.slice(0, 20).map((id) => `reply:${id}.1`),
    );
  });

  it('a reply whose conversation is busy is passed over', () => {
    const agent = new DeliveryFixture();
    agent.enqueue(reply('msg_1', 'c1'), reply('msg_2', 'c1'), reply('msg_3', 'c3'));
    agent.clock.advance(DELIVERY.min_spacing_ms + DELIVERY.spacing_jitter_ms);
    expect(agent.sent.map(({ plan_id }) => plan_id)).toEqual(['reply:msg_1.1', 'reply:msg_3.1']);
  });

  it('the queue of one browser does not delay another’s', () => {
    const agent = new DeliveryFixture();
    agent.connected.add('firefox-2');
    agent.enqueue(...['msg_1', 'msg_2', 'msg_3'].map((id) => reply(id, `c-${id}`)));
    agent.command(renewal('job_1.1', 'cx', 'firefox-2'));
    expect(agent.sent.map(({ client_id }) => client_id)).toEqual(['firefox-1', 'firefox-2']);
  });
});
