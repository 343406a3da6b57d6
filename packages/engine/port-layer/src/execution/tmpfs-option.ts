import { VicError } from '@vic/errors';
import type { TmpfsMount } from '@vic/agent-protocol';

const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** A tmpfs mount from Docker's comma-separated options; refuses an option the container VM cannot honour. */
export function tmpfsMount(path: string, options: string): TmpfsMount {
  const mount: { sizeBytes?: number; mode?: number; readonly: boolean; noexec: boolean } = {
    readonly: false,
    noexec: true,
  };
  for (const option of options.split(',').filter((part) => part !== '')) {
    const [name, value = ''] = option.split('=', 2);
    switch (name) {
      case 'rw':
      case 'ro':
        mount.readonly = name === 'ro';
        break;
      case 'exec':
      case 'noexec':
        mount.noexec = name === 'noexec';
        break;
      case 'nosuid':
      case 'nodev':
        break; // Always in force in the container VM.
      case 'size':
        mount.sizeBytes = sizeBytes(path, value);
        break;
      case 'mode':
        mount.mode = mode(path, value);
        break;
      default:
        throw refused(path, option);
    }
  }
  return { path, ...mount };
}

function sizeBytes(path: string, value: string): number {
  const match = /^(\d{1,12})([bkmg]?)$/i.exec(value);
  if (match === null) throw refused(path, `size=${value}`);
  return Number(match[1]) * (UNITS[(match[2] ?? '').toLowerCase()] ?? 1);
}

function mode(path: string, value: string): number {
  if (!/^[0-7]{1,4}$/.test(value)) throw refused(path, `mode=${value}`);
  return Number.parseInt(value, 8);
}

function refused(path: string, option: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'TMPFS_OPTION_REFUSED',
    message: `The tmpfs at ${path} has an option that container VMs do not support: "${option}".`,
    remedy: 'Use rw, ro, exec, noexec, nosuid, nodev, size and mode.',
  });
}
