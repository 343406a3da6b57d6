import { type ResourceAllocationInfo, type VirtualMachineConfigSpec, VimFault, make } from '@vic/vim';
import type { Host } from '../model/host.ts';
import { duplicateName, invalidArgument, notSupported, requireName } from '../model/faults.ts';
import { VirtualMachine } from '../objects/virtual-machine.ts';
import { mergeExtraConfig } from './extra-config.ts';
import { requireEnforceable } from './processor-shares.ts';
import type { VmRecord } from './vm-record.ts';

/** The specification of a machine. */
export type ConfigSpec = VirtualMachineConfigSpec;

const MAX_CPUS = 128;
const MAX_MEMORY_MIB = 6 * 1024 * 1024;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The fields this host knows what to do with; any other is refused by name. */
const KNOWN_FIELDS: ReadonlySet<string> = new Set([
  '$type',
  'changeVersion',
  'name',
  'uuid',
  'instanceUuid',
  'guestId',
  'alternateGuestName',
  'annotation',
  'files',
  'numCPUs',
  'numCoresPerSocket',
  'memoryMB',
  'deviceChange',
  'cpuAllocation',
  'memoryAllocation',
  'extraConfig',
  'managedBy',
  'version',
  'firmware',
]);

const WHY: Readonly<Record<string, string>> = {
  bootOptions: ' A machine boots from its CD at once, without a firmware that could be told otherwise.',
};

/** Applies everything of a specification but its devices; nothing outside the record is touched. */
export function applyConfigSpec(host: Host, record: VmRecord, spec: ConfigSpec): VmRecord {
  requireKnownFields(spec);
  const next: VmRecord = {
    ...record,
    name: spec.name === undefined ? record.name : requireName(spec.name),
    uuid: uuidOf(spec.uuid, record.uuid, 'uuid'),
    instanceUuid: uuidOf(spec.instanceUuid, record.instanceUuid, 'instanceUuid'),
    guestId: spec.guestId === undefined || spec.guestId === '' ? record.guestId : spec.guestId,
    alternateGuestName: spec.alternateGuestName ?? record.alternateGuestName,
    annotation: spec.annotation ?? record.annotation,
    cpus: inRange('numCPUs', spec.numCPUs ?? record.cpus, 1, MAX_CPUS),
    coresPerSocket: inRange('numCoresPerSocket', spec.numCoresPerSocket ?? record.coresPerSocket, 1, MAX_CPUS),
    memoryMiB: inRange('memoryMB', spec.memoryMB ?? record.memoryMiB, 4, MAX_MEMORY_MIB),
    cpuAllocation: mergeAllocation(record.cpuAllocation, spec.cpuAllocation),
    memoryAllocation: mergeAllocation(record.memoryAllocation, spec.memoryAllocation),
    managedBy: spec.managedBy ?? record.managedBy,
  };
  requireOffForShape(record, next);
  requireEnforceable(host, spec.cpuAllocation);
  requireUnique(host, next);
  const merged = mergeExtraConfig(next, spec.extraConfig);
  requireProgram(host, record, merged);
  return merged;
}

/** Replaces the parts of an allocation that a specification names. */
export function mergeAllocation(
  current: ResourceAllocationInfo,
  wanted: ResourceAllocationInfo | undefined,
): ResourceAllocationInfo {
  if (wanted === undefined) return current;
  const { reservation, limit } = wanted;
  if (reservation !== undefined && reservation < 0)
    throw invalidArgument('reservation', 'A reservation cannot be negative.');
  if (limit !== undefined && limit < -1) throw invalidArgument('limit', 'A limit is -1 for none, or a number from 0.');
  const merged = {
    ...current,
    ...Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined)),
  };
  if (merged.limit !== undefined && merged.limit >= 0 && (merged.reservation ?? 0) > merged.limit) {
    throw invalidArgument('reservation', 'A reservation cannot be above the limit.');
  }
  return merged;
}

function requireKnownFields(spec: ConfigSpec): void {
  for (const [name, value] of Object.entries(spec)) {
    if (value !== undefined && !KNOWN_FIELDS.has(name))
      throw notSupported(`This host does not support ${name} in a machine's specification.${WHY[name] ?? ''}`);
  }
  if (spec.firmware !== undefined && spec.firmware !== 'bios')
    throw notSupported('Machines of this host have BIOS firmware.');
}

function uuidOf(wanted: string | undefined, current: string, field: string): string {
  if (wanted === undefined || wanted === '') return current;
  if (!UUID.test(wanted)) throw invalidArgument(field, 'A UUID has the form 01234567-89ab-cdef-0123-456789abcdef.');
  return wanted.toLowerCase();
}

function inRange(field: string, value: number, min: number, max: number): number {
  if (value < min || value > max) throw invalidArgument(field, `${field} must be from ${min} to ${max}.`);
  return value;
}

function requireOffForShape(before: VmRecord, after: VmRecord): void {
  const changed = before.cpus !== after.cpus || before.memoryMiB !== after.memoryMiB || before.uuid !== after.uuid;
  if (before.powerState === 'poweredOff' || !changed) return;
  throw new VimFault({
    fault: make('InvalidPowerState', { requestedState: 'poweredOff', existingState: before.powerState }),
    message: 'Processors, memory and UUID change while the machine is off.',
  });
}

function requireUnique(host: Host, record: VmRecord): void {
  for (const vm of host.objects.all(VirtualMachine)) {
    if (vm.record.moid === record.moid) continue;
    if (vm.name === record.name) throw duplicateName(record.name, vm.ref);
    if (vm.record.uuid === record.uuid) throw invalidArgument('uuid', `The machine ${vm.name} has this UUID.`);
  }
}

/** A process VM runs a program of the host, so only names the host's administrator has listed are accepted. */
function requireProgram(host: Host, before: VmRecord, after: VmRecord): void {
  const program = after.extraConfig['vic.program'];
  if (program === before.extraConfig['vic.program']) return;
  if (before.powerState !== 'poweredOff')
    throw invalidArgument('vic.program', 'The program of a machine changes while it is off.');
  if (program !== undefined && !host.programs.has(program)) {
    throw invalidArgument('vic.program', `${program.slice(0, 100)} is not in this host's list of programs.`);
  }
}
