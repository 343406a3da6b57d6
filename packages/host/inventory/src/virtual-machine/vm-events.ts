import type { EventEx, VmEvent } from '@vic/vim';
import type { NewEvent } from '../model/event-log.ts';
import { WELL_KNOWN } from '../model/well-known.ts';
import type { VirtualMachine } from '../objects/virtual-machine.ts';

const SENTENCES = {
  VmCreatedEvent: 'was created',
  VmRegisteredEvent: 'was registered',
  VmReconfiguredEvent: 'was reconfigured',
  VmRenamedEvent: 'was renamed',
  VmRemovedEvent: 'was removed',
  VmStartingEvent: 'is starting',
  VmPoweredOnEvent: 'is powered on',
  VmPoweredOffEvent: 'is powered off',
  VmSuspendedEvent: 'is suspended',
  VmResettingEvent: 'is being reset',
  VmGuestShutdownEvent: 'is shutting down its guest',
  VmClonedEvent: 'was cloned',
  VmMessageEvent: 'has a message',
} as const;

/** The kinds of events machines cause. */
export type VmEventType = keyof typeof SENTENCES;

/** Records an event about a machine. */
export function postVmEvent(
  vm: VirtualMachine,
  type: VmEventType,
  userName: string,
  extra: Readonly<Record<string, unknown>> = {},
): void {
  const event: Omit<VmEvent, 'key' | 'chainId' | 'createdTime'> & { readonly $type: string } = {
    $type: type,
    userName,
    datacenter: { name: 'ha-datacenter', datacenter: WELL_KNOWN.datacenter },
    computeResource: { name: vm.host.hostname, computeResource: WELL_KNOWN.computeResource },
    host: { name: vm.host.hostname, host: WELL_KNOWN.host },
    vm: { name: vm.name, vm: { type: 'VirtualMachine', value: vm.ref.value } },
    fullFormattedMessage: `${vm.name} on ${vm.host.hostname} ${SENTENCES[type]}`,
    template: false,
    ...extra,
  };
  vm.host.events.post(event as NewEvent);
}

/** Records that a machine's program or emulator ended by itself. */
export function postCrash(vm: VirtualMachine, detail: string): void {
  const event: Omit<EventEx, 'key' | 'chainId' | 'createdTime'> & { readonly $type: string } = {
    $type: 'EventEx',
    userName: '',
    eventTypeId: 'vic.vm.crashed',
    severity: 'error',
    vm: { name: vm.name, vm: { type: 'VirtualMachine', value: vm.ref.value } },
    fullFormattedMessage: `${vm.name} ended unexpectedly: ${detail.slice(0, 500)}`,
  };
  vm.host.events.post(event as NewEvent);
}
