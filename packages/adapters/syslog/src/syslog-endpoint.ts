import { VicError } from '@vic/errors';

/** Where a syslog server listens. */
export interface SyslogEndpoint {
  readonly protocol: 'udp' | 'tcp' | 'tls';
  readonly host: string;
  readonly port: number;
}

const DEFAULT_PORTS = { udp: 514, tcp: 514, tls: 6514 } as const;

/** Reads `host`, `host:port` (over TCP) or `udp://`, `tcp://`, `tls://` and the same. */
export function parseSyslogEndpoint(text: string): SyslogEndpoint {
  const match = /^(?:(udp|tcp|tls):\/\/)?(\[[\da-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?\/?$/i.exec(text.trim());
  const [, scheme = 'tcp', host, digits] = match ?? [];
  const protocol = scheme.toLowerCase() as SyslogEndpoint['protocol'];
  const port = digits === undefined ? DEFAULT_PORTS[protocol] : Number(digits);
  if (host === undefined || port < 1 || port > 65_535) throw invalid(text);
  return { protocol, host: host.replace(/^\[|\]$/g, ''), port };
}

function invalid(text: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'SYSLOG_ENDPOINT_INVALID',
    message: `"${text.slice(0, 200)}" is no syslog server.`,
    remedy: 'Give host:port, or tcp://, tls:// or udp:// and the same.',
  });
}
