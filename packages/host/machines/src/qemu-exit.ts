import type { MachineExit } from '@vic/inventory';

/** Why QEMU ended, by the `reason` of its SHUTDOWN event (qapi/run-state.json, ShutdownCause). */
export function exitOf(reason: string | undefined): MachineExit {
  switch (reason) {
    case 'guest-shutdown':
      return 'guest-shutdown';
    case 'host-qmp-quit':
    case 'host-signal':
      return 'powered-off';
    default:
      // No reason at all, a panic, or a reset, which is what a panic ends with.
      return 'crashed';
  }
}
