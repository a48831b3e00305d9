/**
 * Counts what the platform bills by wrapping methods of its classes: requests to objects, their rows, and rows of D1. The
 * Worker and the objects of a local runtime share an isolate, so one set of counts covers all of them.
 */

export interface Counts {
  worker_requests: number;
  object_requests: number;
  /** Frames that nodes sent; without the pings that the platform answers itself. */
  socket_messages: number;
  d1_rows_read: number;
  d1_rows_written: number;
  object_rows_read: number;
  object_rows_written: number;
}

interface D1Response {
  meta?: { rows_read?: number; rows_written?: number };
}
type Method = (this: unknown, ...args: unknown[]) => unknown;

const fresh = (): Counts => ({
  worker_requests: 0,
  object_requests: 0,
  socket_messages: 0,
  d1_rows_read: 0,
  d1_rows_written: 0,
  object_rows_read: 0,
  object_rows_written: 0,
});

export const counts: Counts = fresh();
/** Cursors know their row counts only once they have been read. */
let cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];

/** What was counted since the last call. */
export function takeCounts(): Counts {
  for (const cursor of cursors) {
    counts.object_rows_read += cursor.rowsRead;
    counts.object_rows_written += cursor.rowsWritten;
  }
  cursors = [];
  const taken = { ...counts };
  Object.assign(counts, fresh());
  return taken;
}

/** The prototype, or one of its own, that has the method. */
function ownerOf(object: object, method: string): Record<string, Method> {
  for (let proto: object | null = object; proto !== null; proto = Object.getPrototypeOf(proto)) {
    if (Object.hasOwn(proto, method)) return proto as Record<string, Method>;
  }
  throw new Error(`this runtime has no ${method} to count`);
}

const replaced = new WeakSet<object>();

/** Replaces a method of a class, once. */
function replace(instance: object, method: string, around: (original: Method) => Method): void {
  const owner = ownerOf(instance, method);
  const original = owner[method];
  if (original === undefined || replaced.has(original)) return;
  const wrapped = around(original);
  replaced.add(wrapped);
  owner[method] = wrapped;
}

export function countD1(db: D1Database): void {
  const { dbSession } = db.prepare('SELECT 1') as unknown as { dbSession: object };
  replace(
    dbSession,
    '_sendOrThrow',
    (original) =>
      async function (this: unknown, ...args) {
        const response = (await original.apply(this, args)) as D1Response | D1Response[];
        for (const { meta } of [response].flat()) {
          counts.d1_rows_read += meta?.rows_read ?? 0;
          counts.d1_rows_written += meta?.rows_written ?? 0;
        }
        return response;
      },
  );
}

/** Each method that is called on a stub is a request. */
export function countStubs(namespace: object): void {
  replace(
    namespace,
    'get',
    (original) =>
      function (this: unknown, ...args) {
        const stub = original.apply(this, args) as Record<string, Method>;
        return new Proxy(stub, {
          get(target, name: string) {
            const method = target[name];
            if (typeof method !== 'function') return method;
            return (...given: unknown[]) => {
              counts.object_requests += 1;
              return target[name]?.(...given);
            };
          },
        });
      },
  );
}

export function countStorage(storage: DurableObjectStorage): void {
  replace(
    storage.sql,
    'exec',
    (original) =>
      function (this: unknown, ...args) {
        const cursor = original.apply(this, args);
        cursors.push(cursor as SqlStorageCursor<Record<string, SqlStorageValue>>);
        return cursor;
      },
  );
  // Each is one row written, to the price list.
  for (const method of ['put', 'setAlarm']) {
    replace(
      storage,
      method,
      (original) =>
        function (this: unknown, ...args) {
          counts.object_rows_written += 1;
          return original.apply(this, args);
        },
    );
  }
}
