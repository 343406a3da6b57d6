import { VicError, describeError } from '@vic/errors';
import { type SyslogMessage, type SyslogOptions, parseSyslogEndpoint, sendSyslog } from '@vic/syslog';
import type { AuditSettings } from './audit-log.ts';

/** Forwarding to syslog: what {@link AuditWorker} sends with, and what a change of the setting is checked with. */
export interface AuditForwarding {
  readonly send: (endpoint: string, messages: readonly SyslogMessage[], signal?: AbortSignal) => Promise<void>;
  /** Refuses a new endpoint that cannot be reached. */
  readonly check: (next: AuditSettings, changed: ReadonlySet<string>) => Promise<void>;
}

/** Forwarding in the name of `source`, trusting `authorities` (PEM) in place of the system's. */
export function auditForwarding(options: Omit<SyslogOptions, 'signal'>): AuditForwarding {
  const send: AuditForwarding['send'] = async (endpoint, messages, signal) =>
    sendSyslog(parseSyslogEndpoint(endpoint), messages, { ...options, ...(signal === undefined ? {} : { signal }) });
  return {
    send,
    check: async ({ audit_log_forward_endpoint: endpoint }, changed) => {
      if (!changed.has('audit_log_forward_endpoint') || endpoint === '') return;
      try {
        await send(endpoint, [greeting()]);
      } catch (cause) {
        throw new VicError({
          class: 'InvalidArgument',
          code: 'AUDIT_ENDPOINT_UNREACHABLE',
          message: `could not connect to the audit endpoint: ${endpoint}: ${describeError(cause)}`,
          cause,
        });
      }
    },
  };
}

function greeting(): SyslogMessage {
  const text = 'The audit log is forwarded here from now on.';
  return { atMs: Date.now(), severity: 'info', id: 'forwarding', data: {}, text };
}
