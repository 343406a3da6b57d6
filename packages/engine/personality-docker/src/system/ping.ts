import type { Call } from '../http/call.ts';

/** `GET` and `HEAD /_ping`: the first request of every client, which reads the versions in the headers. */
export function ping(call: Call): void {
  const headers = {
    'Builder-Version': '1',
    Swarm: 'inactive',
    'Cache-Control': 'no-cache, no-store, must-revalidate',
    Pragma: 'no-cache',
  };
  call.text(200, call.exchange.method === 'HEAD' ? '' : 'OK', headers);
}
