export { parseSyslogEndpoint } from './syslog-endpoint.ts';
export type { SyslogEndpoint } from './syslog-endpoint.ts';
export { formatSyslog } from './syslog-message.ts';
export type { SyslogMessage, SyslogSource } from './syslog-message.ts';
export { sendSyslog } from './send-syslog.ts';
export type { SyslogOptions } from './send-syslog.ts';
