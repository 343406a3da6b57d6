/** Name of the program that serves a disk over NBD. */
export const NBD_PROGRAM = 'qemu-nbd';

/** A qcow2 disk to serve on a unix socket. */
export interface NbdExport {
  readonly path: string;
  readonly socket: string;
  readonly readOnly: boolean;
}

/** qemu-nbd's arguments: serves until it is told to stop (SIGTERM writes everything out), to one client at a time. */
export function nbdServerArguments(served: NbdExport): readonly string[] {
  return [
    ...['--socket', served.socket, '--format', 'qcow2', '--persistent', '--shared', '1'],
    ...['--cache', 'writeback', '--discard', 'unmap', '--detect-zeroes', 'unmap'],
    ...(served.readOnly ? ['--read-only'] : []),
    served.path,
  ];
}
