import type { MachineSpec, SerialAttachment } from '@vic/inventory';
import type { CharacterDevice } from '@vic/qemu';
import { notSupported } from './machine-errors.ts';

/** Where the interaction channel and the output log of a machine lead; see ARCHITECTURE.md, "Devices". */
export function serialDevices(spec: MachineSpec): { readonly tether: CharacterDevice; readonly log: CharacterDevice } {
  return { tether: toDevice(only(spec, 'connect')), log: toDevice(only(spec, 'file')) };
}

function only(spec: MachineSpec, kind: SerialAttachment['backing']['kind']): SerialAttachment | undefined {
  const ports = spec.serialPorts.filter((port) => port.backing.kind === kind);
  if (ports.length <= 1) return ports[0];
  const what = kind === 'file' ? 'written to a file' : 'that connects to an address';
  throw notSupported(`A machine on this host can have only one serial port ${what}.`);
}

function toDevice(port: SerialAttachment | undefined): CharacterDevice {
  if (port === undefined) return { kind: 'none' };
  const { backing } = port;
  return backing.kind === 'connect'
    ? { kind: 'connect', host: backing.host, port: backing.port }
    : { kind: 'append', path: backing.path };
}
