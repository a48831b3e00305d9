/**
 * Whether the edge may send something to an address that a person set: `https` to a public host. What an edge on a private
 * network could reach there, such as another service of the machine, is refused by its name or number.
 */

const PRIVATE_V4: readonly (readonly [number, number])[] = [
  [0x00000000, 8],
  [0x0a000000, 8],
  [0x64400000, 10],
  [0x7f000000, 8],
  [0xa9fe0000, 16],
  [0xac100000, 12],
  [0xc0000000, 24],
  [0xc0586300, 24],
  [0xc0a80000, 16],
  [0xc6120000, 15],
  [0xe0000000, 3],
];
const LOCAL_NAMES =
  /(^|\.)(localhost|localdomain|local|svc|consul|internal|intranet|lan|home|corp|arpa|test|invalid|example|onion)$/;

/** What is wrong with it, in words that end "expected …"; null when it may be used. `local`: loopback by `http` may be, too. */
export function addressProblem(address: string, { local = false }: { local?: boolean } = {}): string | null {
  const url = URL.parse(address);
  if (url === null) return 'an address such as https://ntfy.sh/my-topic';
  if (url.username !== '' || url.password !== '') return 'an address without user name and password; use the secret';
  const host = url.hostname.replace(/\.+$/, '');
  if (local && url.protocol === 'http:' && host === '127.0.0.1') return null;
  if (url.protocol !== 'https:') return 'an https address';
  return isPublicHost(host) ? null : 'a public host, not this machine or a private network';
}

function isPublicHost(host: string): boolean {
  if (host.startsWith('[')) return isPublicV6(host.slice(1, -1));
  const v4 = numberOfV4(host);
  if (v4 !== null) return isPublicV4(v4);
  return host.includes('.') && !LOCAL_NAMES.test(host);
}

/** The parser of addresses has made every spelling of a number (`0x7f.1`, `2130706433`) this one. */
function numberOfV4(host: string): number | null {
  if (!/^\d+\.\d+\.\d+\.\d+$/.test(host)) return null;
  return host.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function isPublicV4(address: number): boolean {
  return !PRIVATE_V4.some(
    ([net, bits]) => Math.floor(address / 2 ** (32 - bits)) === Math.floor(net / 2 ** (32 - bits)),
  );
}

/** Global unicast is 2000::/3. What carries an IPv4 address inside it (2002::/16, 2001:0::/32) is refused with the rest, and 2001:db8::/32 is
 * of examples. */
function isPublicV6(host: string): boolean {
  const [first = '', second = ''] = host.split(':');
  const head = Number.parseInt(first === '' ? '0' : first, 16);
  if (head < 0x2000 || head > 0x3fff || head === 0x2002) return false;
  const next = Number.parseInt(second === '' ? '0' : second, 16);
  return !(head === 0x2001 && (next < 0x200 || next === 0xdb8));
}
