import { run } from '@vic/process';
import { VicError } from '@vic/errors';

/** Name of the emulator. */
export const QEMU_PROGRAM = 'qemu-system-x86_64';

/** The emulator's version with its packaging, as it prints it; device state fits only the same one. */
export async function qemuVersion(): Promise<string> {
  const { stdout } = await run(QEMU_PROGRAM, ['--version'], { timeoutMs: 20_000 });
  const version = /version (\S+(?: \([^)]*\))?)/.exec(stdout)?.[1];
  if (version !== undefined) return version;
  throw new VicError({
    class: 'Unavailable',
    code: 'QEMU_VERSION_UNKNOWN',
    message: `${QEMU_PROGRAM} --version printed no version.`,
    remedy: 'Install the qemu-system-x86 package, version 7.2 or later.',
  });
}
