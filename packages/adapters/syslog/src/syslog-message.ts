/** One message for a syslog server. */
export interface SyslogMessage {
  readonly atMs: number;
  readonly severity: 'info' | 'warning';
  /** What kind of message it is: one word. */
  readonly id: string;
  /** Details by name. */
  readonly data: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Who sends. */
export interface SyslogSource {
  readonly host: string;
  readonly program: string;
}

/** "Log audit", RFC 5424 section 6.2.1. */
const FACILITY = 13;
const SEVERITIES = { warning: 4, info: 6 } as const;

/** Details are named under the enterprise number of the product's maker. */
const DETAILS_ID = 'audit@6876';

/** What every receiver must take is 480 bytes, what it should take 2048; detail is cut far above both. */
const MAX_TEXT_LENGTH = 8192;

/** A message in the form of RFC 5424. */
export function formatSyslog(message: SyslogMessage, source: SyslogSource): string {
  const priority = FACILITY * 8 + SEVERITIES[message.severity];
  const time = new Date(message.atMs).toISOString();
  const details = Object.entries(message.data).map(([name, value]) => ` ${headerWord(name, 32)}="${escape(value)}"`);
  const header = `<${priority}>1 ${time} ${headerWord(source.host, 255)} ${headerWord(source.program, 48)} ${process.pid}`;
  return `${header} ${headerWord(message.id, 32)} [${DETAILS_ID}${details.join('')}] ${clean(message.text)}`;
}

/** Printable ASCII without spaces, and for names of details without `=`, `]` and `"`. */
function headerWord(text: string, maxLength: number): string {
  return text.replaceAll(/[^\x21-\x7e]|[=\]"]/g, '_').slice(0, maxLength) || '-';
}

function escape(text: string): string {
  return clean(text).replaceAll(/[\\"\]]/g, '\\$&');
}

/** Nothing that ends a line or moves a cursor: a name must not be able to forge a second message. */
function clean(text: string): string {
  return text.slice(0, MAX_TEXT_LENGTH).replaceAll(/\p{Cc}/gu, ' ');
}
