import type { HostConfig } from '@vic/docker-api';
import { invalid } from '../http/docker-error.ts';

/** The capabilities of Linux, without `CAP_`. */
const CAPABILITIES: readonly string[] = [
  ...['AUDIT_CONTROL', 'AUDIT_READ', 'AUDIT_WRITE', 'BLOCK_SUSPEND', 'BPF', 'CHECKPOINT_RESTORE', 'CHOWN'],
  ...['DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'IPC_LOCK', 'IPC_OWNER', 'KILL', 'LEASE'],
  ...['LINUX_IMMUTABLE', 'MAC_ADMIN', 'MAC_OVERRIDE', 'MKNOD', 'NET_ADMIN', 'NET_BIND_SERVICE', 'NET_BROADCAST'],
  ...['NET_RAW', 'PERFMON', 'SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYSLOG', 'SYS_ADMIN', 'SYS_BOOT'],
  ...['SYS_CHROOT', 'SYS_MODULE', 'SYS_NICE', 'SYS_PACCT', 'SYS_PTRACE', 'SYS_RAWIO', 'SYS_RESOURCE', 'SYS_TIME'],
  ...['SYS_TTY_CONFIG', 'WAKE_ALARM', 'ALL'],
];

/** Refuses capabilities that there are not, in Docker's words; the others have no effect, which the rules say. */
export function refuseUnknownCapabilities(hostConfig: HostConfig): void {
  for (const option of ['CapAdd', 'CapDrop'] as const) {
    for (const given of hostConfig[option] ?? []) {
      const name = given.toUpperCase().replace(/^CAP_/, '');
      if (!CAPABILITIES.includes(name))
        throw invalid(`invalid ${option}: unknown capability: "CAP_${name.slice(0, 64)}"`);
    }
  }
}
