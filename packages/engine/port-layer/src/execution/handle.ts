import { shortId } from '@vic/ids';
import type { NetworkEndpoint, NewContainer, PortBinding, Shape } from './container.ts';
import {
  ID_KEY,
  SECRET_KEY,
  STOP_SIGNAL_KEY,
  STOP_TIMEOUT_KEY,
  VCH_KEY,
  encodeExit,
  encodePorts,
  encodeRecord,
} from './container-record.ts';
import type { ContainerRecord, RecordedExit } from './container-record.ts';
import { containerSecret } from './container-secret.ts';
import type { ExecutionConfiguration } from './dependencies.ts';
import type { Machine, MachineChange, MachineNic, MachineSpec } from './machine.ts';
import { signalNumber } from './signals.ts';

/** A container that does not exist yet: edited in memory, made by one commit. */
export interface NewHandle {
  readonly record: ContainerRecord;
  readonly parentDisk: string | undefined;
  readonly nic: MachineNic | undefined;
  readonly interactionUri: string;
}

/** An edit of a container that exists, against the machine as it was seen. */
export interface EditHandle {
  readonly record: ContainerRecord;
  readonly machine: Machine;
  readonly renamed: boolean;
  readonly exit: RecordedExit | undefined;
  readonly ports: readonly PortBinding[] | undefined;
}

/** The longest VM name vSphere takes. */
const MAX_VM_NAME = 80;

/** A handle for a new container; nothing is reserved or made by it. */
export function newHandle(
  config: NewContainer,
  createdAt: string,
  shape: Shape,
  configuration: ExecutionConfiguration,
): NewHandle {
  const vmName = vmNameOf(config, configuration.nameConvention);
  const folder = `[${configuration.datastore}] ${vmName}`;
  return {
    record: {
      version: 1,
      config,
      createdAt,
      shape,
      vmName,
      diskPath: `${folder}/${shortId(config.id)}.vmdk`,
      logPath: `${folder}/output.log`,
    },
    parentDisk: undefined,
    nic: undefined,
    interactionUri: '',
  };
}

/** Puts the image's top disk under the container's own. */
export function joinImage(handle: NewHandle, topDisk: string): NewHandle {
  return { ...handle, parentDisk: topDisk };
}

/** Connects the container to a network. */
export function joinNetwork(handle: NewHandle, endpoint: NetworkEndpoint, portGroup: string): NewHandle {
  return { ...handle, record: { ...handle.record, endpoint }, nic: { portGroup, mac: endpoint.mac } };
}

/** Lets the container's tether dial the endpoint. */
export function joinInteraction(handle: NewHandle, uri: string): NewHandle {
  return { ...handle, interactionUri: uri };
}

/** The machine a new handle stands for. */
export function machineSpecOf(handle: NewHandle, configuration: ExecutionConfiguration): MachineSpec {
  const { record } = handle;
  return {
    name: record.vmName,
    shape: record.shape,
    disk: handle.parentDisk === undefined ? undefined : { path: record.diskPath, parent: handle.parentDisk },
    nic: handle.nic,
    interactionUri: handle.interactionUri,
    logPath: record.logPath,
    extraConfig: {
      [ID_KEY]: record.config.id,
      [SECRET_KEY]: containerSecret(configuration.vchKey, record.config.id),
      [STOP_SIGNAL_KEY]: String(signalNumber(record.config.stopSignal || 'SIGTERM')),
      [STOP_TIMEOUT_KEY]: String(record.config.stopTimeoutSeconds),
      [VCH_KEY]: configuration.vchId,
      ...encodeRecord(record),
    },
  };
}

/** A handle of a container as it was last seen. */
export function handleOf(record: ContainerRecord, machine: Machine): EditHandle {
  return { record, machine, renamed: false, exit: undefined, ports: undefined };
}

/** Gives the container, and its VM, another name. */
export function rename(handle: EditHandle, name: string, configuration: ExecutionConfiguration): EditHandle {
  const config = { ...handle.record.config, name };
  const record = { ...handle.record, config, vmName: vmNameOf(config, configuration.nameConvention) };
  return { ...handle, record, renamed: true };
}

/** Writes down an end that the guest could not report. */
export function recordExit(handle: EditHandle, exit: RecordedExit): EditHandle {
  return { ...handle, exit };
}

/** Writes down the host ports chosen for the present run. */
export function recordPorts(handle: EditHandle, ports: readonly PortBinding[]): EditHandle {
  return { ...handle, ports };
}

/** What a commit of the handle changes at the machine. */
export function machineChangeOf(handle: EditHandle): MachineChange {
  return {
    changeVersion: handle.machine.changeVersion,
    ...(handle.renamed ? { name: handle.record.vmName } : {}),
    extraConfig: {
      ...(handle.renamed ? encodeRecord(handle.record) : {}),
      ...(handle.exit === undefined ? {} : encodeExit(handle.exit)),
      ...(handle.ports === undefined ? {} : encodePorts(handle.ports)),
    },
  };
}

function vmNameOf(config: NewContainer, convention: string): string {
  const id = shortId(config.id);
  const fixed = convention.replaceAll('{name}', '').replaceAll('{id}', id);
  const name = config.name.slice(0, MAX_VM_NAME - fixed.length);
  return convention.replaceAll('{name}', name).replaceAll('{id}', id);
}
